-- exchange_answer: every answer ever handed in, each once by its content; where it lies in several files, the first by name and row
INSERT INTO exchange_answer BY NAME
SELECT * FROM previous_exchange_answer
UNION ALL BY NAME
SELECT record_hash, notice_id, person_id, result, listed_as, value, replied_by, replied_on, remark, source_file, source_row
FROM (
    SELECT *, row_number() OVER (PARTITION BY record_hash ORDER BY source_file, source_row) AS choice
    FROM standard_exchange_reply ANTI JOIN previous_exchange_answer USING (record_hash)
)
WHERE choice = 1
ORDER BY notice_id, person_id, replied_on, record_hash;
