-- the run that made the register
SELECT run_id, as_of, rule_version FROM run ORDER BY started_at DESC, run_id DESC LIMIT 1
