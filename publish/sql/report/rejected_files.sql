-- files that could not be read
SELECT feed, source_file, message FROM feed_receipt WHERE state = 'rejected' ORDER BY feed, source_file
