-- visit: every visit ever handed in, each once by its content; where it lies in several files, the first by name and row
INSERT INTO visit BY NAME
SELECT * FROM previous_visit
UNION ALL BY NAME
SELECT
    record_hash, person_id, visited_on, sheet_id, way, result, situation, reported_on, still_needs_help, visited_by, remark, warnings, source_file, source_row
FROM (
    SELECT *, row_number() OVER (PARTITION BY record_hash ORDER BY source_file, source_row) AS choice
    FROM standard_visit ANTI JOIN previous_visit USING (record_hash)
)
WHERE choice = 1
ORDER BY person_id, visited_on, record_hash;
