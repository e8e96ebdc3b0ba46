WITH asked AS (
    SELECT date_trunc('quarter', as_of)::DATE AS quarter, district, recipient AS department, min(as_of) AS asked_on, arg_min(items, (as_of, exported_at)) AS children
    FROM export_log
    WHERE kind = 'roster'
    GROUP BY ALL
),
answered AS (
    SELECT date_trunc('quarter', roster_on)::DATE AS quarter, roster_district AS district, department, count(DISTINCT person_id) AS answered, max(verified_on) AS last_answer_on
    FROM verification_state
    WHERE state <> 'unusable'
    GROUP BY ALL
)
SELECT
    quarter, district, d.name AS district_name, department, asked_on, children::BIGINT AS children, coalesce(answered, 0) AS answered,
    greatest(children::BIGINT - coalesce(answered, 0), 0) AS outstanding, last_answer_on
FROM asked LEFT JOIN answered USING (quarter, district, department) LEFT JOIN division d ON d.code = asked.district
ORDER BY quarter, district, department
