-- returned_unused: what does not count of the sheets that came back; answered rosters have verification_state
INSERT INTO returned_unused BY NAME
WITH sheet AS (
    SELECT feed, source_file, source_row, person_id, warnings, 'visited_on' AS day, visited_on AS said_on, FALSE AS is_unsent, FALSE AS is_silent FROM standard_visit
    UNION ALL
    SELECT feed, source_file, source_row, person_id, warnings, 'replied_on', replied_on, FALSE, coalesce(result, listed_as, value) IS NULL FROM standard_exchange_reply
    UNION ALL
    SELECT n.feed, n.source_file, n.source_row, n.person_id, n.warnings, 'received_on', n.received_on, s.batch_id IS NULL, FALSE
    FROM standard_national_receipt n LEFT JOIN national_sent s USING (batch_id, person_id)
),
judged AS (
    SELECT
        s.feed, s.source_file, s.source_row, s.person_id,
        list_concat(
            [p FOR p IN [
                CASE WHEN i.person_id IS NULL THEN 'person_unknown' END,
                CASE WHEN s.is_unsent AND i.person_id IS NOT NULL THEN 'not_sent' END,
                CASE WHEN s.is_silent THEN 'missing:result' END,
                CASE WHEN s.said_on > $as_of THEN 'date_ahead:' || s.day END
            ] IF p IS NOT NULL],
            [w FOR w IN s.warnings IF w LIKE 'code\_unknown:%' ESCAPE '\' OR w LIKE 'date\_unreadable:%' ESCAPE '\']
        ) AS problems
    FROM sheet s LEFT JOIN identity i USING (person_id)
    UNION ALL
    SELECT
        s.feed, s.source_file, s.source_row, r.person_id,
        [w FOR w IN s.warnings IF w LIKE 'code\_unknown:%' ESCAPE '\' OR w LIKE 'date\_unreadable:%' ESCAPE '\'] AS problems
    FROM standard_survey s JOIN person_record r USING (feed, source_file, source_row)
)
SELECT feed, source_file, source_row, person_id, problems FROM judged WHERE len(problems) > 0 ORDER BY feed, source_file, source_row;
