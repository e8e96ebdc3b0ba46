-- what the nights counted, this one's and those before it; a night run late speaks for an earlier day and stands there
SELECT as_of, topic, item, state, department, district, figure
FROM indicator
WHERE topic IN ('outcome', 'service', 'alert', 'rows') AND as_of <= (SELECT max_by(as_of, (started_at, run_id)) FROM run)
ORDER BY ALL
