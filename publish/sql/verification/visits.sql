-- Visits to somebody whom no identifier ever stood for
SELECT source_file, source_row, person_id, visited_on, result, visited_by, sheet_id
FROM visit
WHERE person_id NOT IN (SELECT person_id FROM identity)
ORDER BY source_file, source_row, record_hash
