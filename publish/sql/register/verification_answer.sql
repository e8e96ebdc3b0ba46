-- verification_answer: every answer ever given, each once by its content; where it lies in several files, the first by name and row
INSERT INTO verification_answer BY NAME
SELECT * FROM previous_verification_answer
UNION ALL BY NAME
SELECT record_hash, roster_id, person_id, department, result, field, value, verified_by, verified_on, remark, source_file, source_row, $run_id AS run_id
FROM (
    SELECT *, row_number() OVER (PARTITION BY record_hash ORDER BY source_file, source_row) AS choice
    FROM standard_verification ANTI JOIN previous_verification_answer USING (record_hash)
)
WHERE choice = 1
ORDER BY roster_id, person_id, verified_on, department, record_hash;
