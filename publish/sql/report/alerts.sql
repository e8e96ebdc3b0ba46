-- alerts by who should act and what they are about; of the closed ones, the days it took
SELECT
    department, kind, min(title) AS title,
    count(*) FILTER (state = 'open') AS open, count(*) FILTER (state = 'overdue') AS overdue, count(*) FILTER (state = 'closed') AS closed,
    median(closed_on - raised_on) FILTER (state = 'closed') AS days
FROM alert
GROUP BY department, kind
ORDER BY open + overdue DESC, kind, department
