-- touched: children whose entries change: merged tonight, or whose entry over tonight's days ($as_of to before $until) is not tonight's answer
CREATE TEMP TABLE touched AS
WITH standing AS (
    SELECT person_id, was, said, valid_from <= $as_of::DATE AND ends >= $until::DATE AS covers
    FROM known
    WHERE valid_from < $until::DATE AND ends > $as_of::DATE
),
settled AS (
    SELECT s.person_id FROM standing s JOIN tonight t ON t.person_id = s.person_id AND t.said = s.said WHERE s.covers AND s.was = s.person_id
),
open AS (
    SELECT person_id FROM standing UNION SELECT person_id FROM tonight
)
SELECT person_id FROM open ANTI JOIN settled USING (person_id)
UNION
SELECT person_id FROM known WHERE was <> person_id;

-- spans: the entries of the touched children as we know them from tonight on. Days are cut at every border; tonight's days hold tonight's answer, the others
-- what was known: where two merged children both had an entry, the one as flowing, then the survivor's. Equal neighbours are one span.
CREATE TEMP TABLE spans AS
WITH mine AS (
    SELECT k.* FROM known k SEMI JOIN touched USING (person_id)
),
border AS (
    SELECT person_id, valid_from AS day FROM mine
    UNION SELECT person_id, ends FROM mine
    UNION SELECT person_id, $as_of::DATE FROM touched
    UNION SELECT person_id, $until::DATE FROM touched
),
cut AS (
    SELECT person_id, day, lead(day) OVER (PARTITION BY person_id ORDER BY day) AS next_day FROM border
),
chosen AS (
    SELECT c.person_id, c.day, c.next_day, m.said
    FROM cut c JOIN mine m ON m.person_id = c.person_id AND m.valid_from <= c.day AND m.ends >= c.next_day
    WHERE c.day < $as_of::DATE OR c.day >= $until::DATE
    QUALIFY row_number() OVER (PARTITION BY c.person_id, c.day ORDER BY m.said.is_flowing DESC, m.was = m.person_id DESC, m.was, m.entry_id) = 1
    UNION ALL
    SELECT person_id, $as_of::DATE, $until::DATE, said FROM tonight SEMI JOIN touched USING (person_id)
),
marked AS (
    SELECT *, coalesce(lag(said) OVER days = said AND lag(next_day) OVER days = day, FALSE) AS goes_on
    FROM chosen
    WINDOW days AS (PARTITION BY person_id ORDER BY day)
),
numbered AS (
    SELECT *, count(*) FILTER (NOT goes_on) OVER (PARTITION BY person_id ORDER BY day ROWS UNBOUNDED PRECEDING) AS span FROM marked
)
SELECT person_id, min(day) AS valid_from, max(next_day) AS ends, arg_min(said, day) AS said
FROM numbered
GROUP BY person_id, span;
