SELECT record_hash || ':', (a.record_hash IS NOT NULL)::INTEGER, (s.record_hash IS NOT NULL)::INTEGER
FROM verification_answer a FULL JOIN verification_state s USING (record_hash)
WHERE a.record_hash IS NULL OR s.record_hash IS NULL
ORDER BY ALL
