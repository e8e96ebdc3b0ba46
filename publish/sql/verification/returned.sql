-- Rows of the other sheets of which something does not count
SELECT u.*, p.name FROM returned_unused u LEFT JOIN person p USING (person_id) ORDER BY u.feed, u.source_file, u.source_row
