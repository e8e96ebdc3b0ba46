SELECT outcome, reason, count(*) AS children FROM assessment GROUP BY outcome, reason ORDER BY outcome, reason
