-- What each night counted, for change over time and for before and after: the other nights' figures as they were, and tonight's. The night of an earlier
-- run for the same day is counted anew.
INSERT INTO indicator SELECT * FROM previous_indicator WHERE as_of <> $as_of::DATE ORDER BY as_of, topic, item, state, department, district;

INSERT INTO indicator BY NAME
WITH counted AS (
    SELECT 'outcome' AS topic, reason AS item, outcome AS state, NULL::VARCHAR AS department, residence_district AS district, count(*) AS figure
    FROM assessment GROUP BY ALL
    UNION ALL
    SELECT 'key_care', category, CASE WHEN k.is_flowing THEN 'flowing' ELSE 'others' END, NULL, a.residence_district, count(*)
    FROM key_care k JOIN assessment a USING (person_id) GROUP BY ALL
    UNION ALL
    SELECT 'visit', category, 'overdue', NULL, a.residence_district, count(*)
    FROM key_care k JOIN assessment a USING (person_id) WHERE k.next_visit_due < $as_of::DATE GROUP BY ALL
    UNION ALL
    SELECT 'service', item, status, department, a.residence_district, count(*)
    FROM service_gap JOIN assessment a USING (person_id) GROUP BY ALL
    UNION ALL
    SELECT 'alert', kind, state, department, district, count(*) FROM alert WHERE raised_on <= $as_of::DATE GROUP BY ALL
    UNION ALL
    SELECT 'verification', coalesce(verification, 'none'), 'flowing', NULL, residence_district, count(*) FROM flowing_child GROUP BY ALL
    UNION ALL
    SELECT 'rows', feed, 'accepted', NULL, NULL, sum(rows_accepted) FROM feed_receipt GROUP BY ALL
    UNION ALL
    SELECT 'rows', feed, 'quarantined', NULL, NULL, sum(rows_quarantined) FROM feed_receipt GROUP BY ALL
    UNION ALL
    SELECT 'rows', feed, 'with_warnings', NULL, NULL, count(*) FROM record WHERE len(warnings) > 0 GROUP BY ALL
)
SELECT $as_of::DATE AS as_of, topic, item, state, department, district, figure::BIGINT AS figure
FROM counted
WHERE figure > 0 OR topic = 'rows'
ORDER BY topic, item, state, department, district;
