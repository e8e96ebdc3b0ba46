-- The ledger: every entry ever recorded. Those that tonight knows better are superseded, what is new is added, nothing else changes.
CREATE TEMP TABLE fresh AS
SELECT s.* FROM spans s
WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.was = s.person_id AND k.valid_from = s.valid_from AND k.ends = s.ends AND k.said = s.said);

CREATE TEMP TABLE gone AS
SELECT k.entry_id FROM known k SEMI JOIN touched USING (person_id)
WHERE NOT EXISTS (SELECT 1 FROM spans s WHERE k.was = s.person_id AND k.valid_from = s.valid_from AND k.ends = s.ends AND k.said = s.said);

-- an entry may be recorded, superseded and recorded again, word for word: how often it was before goes into its number
INSERT INTO ledger BY NAME
WITH content AS (
    SELECT
        f.person_id, f.valid_from, nullif(f.ends, $forever::DATE) AS valid_to, f.said,
        concat_ws('|', f.person_id, f.valid_from, f.ends, to_json(f.said), count(p.entry_id)) AS text
    FROM fresh f LEFT JOIN previous_ledger p
    ON p.person_id = f.person_id AND p.valid_from = f.valid_from AND coalesce(p.valid_to, $forever::DATE) = f.ends AND entry(p) = f.said
    GROUP BY f.person_id, f.valid_from, f.ends, f.said
)
SELECT p.* REPLACE (CASE WHEN g.entry_id IS NULL THEN p.superseded_at ELSE $recorded_at::TIMESTAMP END AS superseded_at)
FROM previous_ledger p LEFT JOIN gone g ON g.entry_id = p.entry_id
UNION ALL BY NAME
SELECT
    'L' || left(md5(text), 20) AS entry_id, person_id, unnest(said), valid_from, valid_to,
    $recorded_at::TIMESTAMP AS recorded_at, NULL::TIMESTAMP AS superseded_at, $run_id AS run_id
FROM content
ORDER BY person_id, valid_from, recorded_at, entry_id;
