SELECT s.person_id, s.question, s.department, a.result, a.field, s.state, s.problem, s.verified_on, a.roster_id, a.source_file, a.source_row, s.record_hash
FROM verification_state s JOIN verification_answer a USING (record_hash)
WHERE s.is_disputed
ORDER BY s.person_id, s.question, s.verified_on, s.record_hash
