WITH RECURSIVE step AS (
    SELECT person_id, merged_into AS now_id, 1 AS steps FROM identity WHERE state = 'merged'
    UNION ALL
    SELECT s.person_id, i.merged_into, s.steps + 1 FROM step s JOIN identity i ON i.person_id = s.now_id AND i.state = 'merged'
)
SELECT person_id, arg_max(now_id, steps) AS now_id FROM step GROUP BY person_id ORDER BY person_id
