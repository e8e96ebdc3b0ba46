-- How each child's entry in the national system stands. Needs `standing` (person_id, is_listed, content: tonight's) and `sent` (as national_sent).
WITH last_sent AS (
    SELECT coalesce(r.now_id, s.person_id) AS person_id, s.person_id AS was, s.batch_id, s.kind, s.content, s.sent_on
    FROM sent s LEFT JOIN v_merged_person r ON r.person_id = s.person_id
    QUALIFY row_number() OVER (PARTITION BY coalesce(r.now_id, s.person_id) ORDER BY s.sent_on DESC, s.batch_id DESC, s.person_id) = 1
),
receipt AS (
    SELECT coalesce(r.now_id, n.person_id) AS person_id, n.person_id AS was, n.* EXCLUDE (person_id)
    FROM national_receipt n LEFT JOIN v_merged_person r ON r.person_id = n.person_id
    WHERE (n.received_on <= (SELECT max(as_of) FROM assessment)) IS NOT FALSE
),
last_receipt AS (
    SELECT t.person_id, t.result, t.reason, t.received_on
    FROM receipt t JOIN last_sent s ON s.person_id = t.person_id AND s.was = t.was AND s.batch_id = t.batch_id
    QUALIFY row_number() OVER (PARTITION BY t.person_id ORDER BY t.received_on DESC NULLS LAST, t.record_hash) = 1
),
entered AS (
    SELECT person_id, min(received_on) AS entered_on, arg_max(national_id, (received_on, record_hash)) FILTER (national_id IS NOT NULL) AS national_id
    FROM receipt WHERE result = '已录入' GROUP BY person_id
),
listed AS (
    SELECT person_id, min(valid_from) AS listed_on FROM ledger WHERE is_flowing AND superseded_at IS NULL GROUP BY person_id
)
SELECT
    g.person_id,
    CASE
        WHEN s.person_id IS NULL THEN 'new'
        -- one that left is told so once; what changes of it afterwards is nothing to the national system, unless that sent the entry back
        WHEN g.is_listed AND s.kind = 'left' OR NOT g.is_listed AND s.kind <> 'left' THEN 'changed'
        WHEN s.content <> g.content AND (g.is_listed OR r.result = '退回') THEN 'changed'
        WHEN r.result = '退回' THEN 'refused'
        WHEN r.result = '已录入' THEN 'entered'
        ELSE 'pending'
    END AS state,
    g.is_listed, g.content, s.batch_id, s.sent_on, r.received_on AS answered_on, e.national_id, r.reason, l.listed_on,
    (coalesce(e.entered_on, (SELECT max(as_of) FROM assessment)) - l.listed_on)::INTEGER AS lag_days
FROM standing g
LEFT JOIN last_sent s USING (person_id)
LEFT JOIN last_receipt r USING (person_id)
LEFT JOIN entered e USING (person_id)
LEFT JOIN listed l USING (person_id)
ORDER BY g.person_id
