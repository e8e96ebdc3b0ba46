SELECT on_date, kind, count(*) AS events, count(DISTINCT person_id) AS children FROM ledger_event GROUP BY on_date, kind ORDER BY on_date, kind
