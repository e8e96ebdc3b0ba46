-- national_receipt: every answer ever handed in, each once by its content; where it lies in several files, the first by name and row
INSERT INTO national_receipt BY NAME
SELECT * FROM previous_national_receipt
UNION ALL BY NAME
SELECT record_hash, batch_id, person_id, result, national_id, reason, received_on, source_file, source_row
FROM (
    SELECT *, row_number() OVER (PARTITION BY record_hash ORDER BY source_file, source_row) AS choice
    FROM standard_national_receipt ANTI JOIN previous_national_receipt USING (record_hash)
)
WHERE choice = 1
ORDER BY batch_id, person_id, received_on, record_hash;
