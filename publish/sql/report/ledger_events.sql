-- children whom a change of the ledger concerns, by kind: found by this night, and in the quarter that ends with it
WITH night AS (
    SELECT max_by(as_of, (started_at, run_id)) AS as_of FROM run
)
SELECT
    kind,
    count(DISTINCT person_id) FILTER (on_date = as_of) AS night,
    count(DISTINCT person_id) FILTER (on_date > as_of - $quarter_days::INTEGER) AS quarter
FROM ledger_event, night
WHERE on_date <= as_of
GROUP BY kind
ORDER BY quarter DESC, kind
