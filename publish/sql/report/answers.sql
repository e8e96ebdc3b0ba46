-- answers that departments have given, and what became of them on this night
SELECT coalesce(department, '不明') AS department, state, count(*) AS answers FROM verification_state GROUP BY ALL ORDER BY department, state
