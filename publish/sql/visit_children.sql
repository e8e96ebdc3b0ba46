-- One row per key-care child with its visit plan, and what who visits it must know. What a psychiatric entry rests on is not among it.
-- Of one who lives outside the city the district of its hukou is given the sheet, as it is the alerts.
WITH visitor AS (
    SELECT person_id, CASE WHEN residence_district LIKE '50%' THEN residence_district ELSE coalesce(hukou_district, residence_district) END AS district FROM assessment
)
SELECT
    v.*, w.district AS visited_by_district, coalesce(o.name, w.district) AS visited_by_name, n.day AS as_of, p.name, p.sex, coalesce(a.birth_date, p.birth_date) AS birth_date, p.guardians, p.phones,
    concat(d.name, a.residence_township) AS residence
FROM v_visit_due v
CROSS JOIN (SELECT max(as_of) AS day FROM assessment) n
JOIN person p USING (person_id)
JOIN assessment a USING (person_id)
JOIN visitor w USING (person_id)
LEFT JOIN place d ON d.code = a.residence_district
LEFT JOIN place o ON o.code = w.district
ORDER BY w.district NULLS LAST, v.next_visit_due, v.residence_township NULLS LAST, p.name NULLS LAST, v.person_id
