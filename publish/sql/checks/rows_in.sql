SELECT feed, source_file || ':', rows_in, rows_accepted, rows_quarantined
FROM feed_receipt
WHERE rows_in <> rows_accepted + rows_quarantined
ORDER BY ALL
