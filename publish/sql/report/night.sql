-- the run that made the register, and what the one before it had counted
WITH runs AS (
    SELECT run_id, rule_version, counts, row_number() OVER (ORDER BY started_at DESC, run_id DESC) AS back FROM run
)
SELECT
    (SELECT max(as_of) FROM assessment) AS as_of,
    (SELECT run_id FROM runs WHERE back = 1) AS run_id,
    (SELECT rule_version FROM runs WHERE back = 1) AS rule_version,
    (SELECT counts FROM runs WHERE back = 2) AS before
