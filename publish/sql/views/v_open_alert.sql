SELECT department, d.name AS district_name, kind, title, count(*) AS alerts, count(*) FILTER (state = 'overdue') AS overdue
FROM alert a LEFT JOIN division d ON d.code = a.district
WHERE state <> 'closed'
GROUP BY ALL
ORDER BY department, district_name, kind, title
