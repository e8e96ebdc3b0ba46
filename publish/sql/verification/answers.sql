-- Every answer ever given with what became of it; places and words are put in by publish/verification.py
SELECT
    s.state, s.is_disputed, s.problem, s.question, s.person_id, s.department, a.person_id AS named, a.roster_id, a.result, a.field, a.value, a.verified_by,
    a.verified_on, a.remark, a.source_file, a.source_row, p.name, place.name AS district
FROM verification_state s
JOIN verification_answer a USING (record_hash)
LEFT JOIN person p ON p.person_id = s.person_id
LEFT JOIN place ON place.code = s.roster_district
ORDER BY a.source_file, a.source_row, s.record_hash
