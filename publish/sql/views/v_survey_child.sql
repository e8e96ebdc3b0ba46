WITH night AS (
    SELECT max(as_of) AS as_of, date_trunc('quarter', max(as_of))::DATE AS begins, year(max(as_of)) || 'Q' || quarter(max(as_of)) AS quarter FROM assessment
),
seen AS (
    SELECT
        s.person_id, max(s.seen_on) AS last_surveyed_on,
        bool_or(coalesce(s.quarter = n.quarter, s.seen_on >= n.begins)) AS is_done
    FROM survey_row s JOIN night n ON s.seen_on <= n.as_of GROUP BY s.person_id
),
stay AS (
    SELECT person_id, max(confirmed_on) AS confirmed_on FROM residence_episode WHERE is_current GROUP BY person_id
)
SELECT
    a.person_id, n.quarter, a.residence_district, d.name AS district_name, a.residence_township,
    CASE
        WHEN s.person_id IS NULL THEN 'newly_seen'
        WHEN t.confirmed_on < n.as_of - INTERVAL 6 MONTH THEN 'not_seen_since'
        ELSE 'known'
    END AS standing,
    s.last_surveyed_on, coalesce(s.is_done, FALSE) AS is_done, (n.begins + INTERVAL 3 MONTH - INTERVAL 1 DAY)::DATE AS due_on,
    NOT coalesce(s.is_done, FALSE) AND coalesce(s.last_surveyed_on, f.first_listed_on, n.as_of) < n.begins - INTERVAL 3 MONTH AS is_overdue
FROM assessment a
CROSS JOIN night n
LEFT JOIN seen s USING (person_id)
LEFT JOIN stay t USING (person_id)
LEFT JOIN flowing_child f USING (person_id)
LEFT JOIN division d ON d.code = a.residence_district
WHERE a.residence_district IS NOT NULL AND (a.outcome = 'flowing' OR a.reason IN ('under_six_months', 'duration_unknown', 'conflicting_evidence'))
ORDER BY a.residence_district, a.residence_township NULLS LAST, a.person_id
