-- Rows of sheets that came back which intake turned away although the recipient had filled something in ($answers: feed/heading); a row nobody touched comes up again by itself
WITH filled AS (
    SELECT feed, source_file, source_row, reasons_zh, [trim(c.value) FOR c IN original IF trim(c.heading) = '人员编码'] AS named
    FROM quarantine
    WHERE list_has_any([feed || '/' || trim(c.heading) FOR c IN original IF trim(coalesce(c.value, '')) <> ''], $answers)
)
SELECT f.feed, f.source_file, f.source_row, list_aggregate(f.reasons_zh, 'string_agg', '；') AS problem, f.named[1] AS person_id, p.name
FROM filled f
LEFT JOIN person p ON p.person_id = f.named[1]
ORDER BY f.feed, f.source_file, f.source_row
