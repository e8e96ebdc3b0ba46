-- alerts that are not closed, by who should act
SELECT
    department,
    count(*) FILTER (state = 'open') AS in_time,
    count(*) FILTER (state = 'overdue') AS overdue
FROM alert
WHERE state <> 'closed'
GROUP BY department
ORDER BY in_time + overdue DESC, department
