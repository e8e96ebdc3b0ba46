SELECT source_file, source_row, person_id, department, state, problem, record_hash
FROM verification_state
WHERE state NOT IN ('confirmed', 'applied')
ORDER BY source_file, source_row, record_hash
