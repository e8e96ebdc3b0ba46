WITH child AS (
    SELECT person_id, person_id AS now_id FROM identity
    UNION ALL
    FROM v_merged_person
),
asked AS (
    SELECT
        date_trunc('quarter', as_of)::DATE AS quarter, district, recipient AS department, min(as_of) AS asked_on,
        arg_min(exported_at, (as_of, exported_at)) AS asked_at, arg_min(items, (as_of, exported_at)) AS children
    FROM export_log
    WHERE kind = 'roster'
    GROUP BY ALL
),
-- of the children who were on the list there when it was asked; who came onto a later roster was not, and who was there under two identifiers that were merged since was asked about twice
answered AS (
    SELECT a.quarter, a.district, a.department, count(DISTINCT c.person_id) AS answered, max(s.verified_on) AS last_answer_on
    FROM asked a
    JOIN verification_state s
    ON date_trunc('quarter', s.roster_on)::DATE = a.quarter AND s.roster_district = a.district AND s.department = a.department
    JOIN child c ON c.now_id = s.person_id
    SEMI JOIN ledger l
    ON l.person_id = c.person_id AND l.is_flowing AND l.residence_district = a.district
        AND l.valid_from <= a.asked_on AND coalesce(l.valid_to > a.asked_on, TRUE)
        AND l.recorded_at <= a.asked_at AND coalesce(l.superseded_at > a.asked_at, TRUE)
    WHERE s.state <> 'unusable'
    GROUP BY ALL
)
SELECT
    quarter, district, d.name AS district_name, department, asked_on, children::BIGINT AS children, coalesce(answered, 0) AS answered,
    greatest(children::BIGINT - coalesce(answered, 0), 0) AS outstanding, last_answer_on
FROM asked LEFT JOIN answered USING (quarter, district, department) LEFT JOIN division d ON d.code = asked.district
ORDER BY quarter, district, department
