-- alerts that are not closed, by what they are about
SELECT title, department, count(*) FILTER (state = 'open') AS in_time, count(*) FILTER (state = 'overdue') AS overdue
FROM alert
WHERE state <> 'closed'
GROUP BY title, department
ORDER BY in_time + overdue DESC, title, department
