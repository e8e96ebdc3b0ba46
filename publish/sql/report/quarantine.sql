-- why rows were sent back, most frequent first
SELECT feed, reason, count(*) AS "rows"
FROM (SELECT feed, unnest(reasons_zh) AS reason FROM quarantine)
GROUP BY feed, reason
ORDER BY "rows" DESC, feed, reason
