-- One row per child that the national system should know: on the list today, or sent before (relation `sent`), with every field a layout may name.
WITH child AS (
    SELECT person_id FROM flowing_child
    UNION
    SELECT coalesce(c.now_id, s.person_id)
    FROM sent s LEFT JOIN v_merged_person c USING (person_id)
),
care AS (
    SELECT person_id, list(DISTINCT category ORDER BY category) AS categories FROM key_care GROUP BY person_id
)
SELECT
    person_id, f.person_id IS NOT NULL AS is_listed, p.name, p.sex, coalesce(a.birth_date, p.birth_date) AS birth_date,
    CASE WHEN p.id_number_status = 'valid' THEN 'mainland' ELSE coalesce(p.document_type, 'none') END AS document_type,
    CASE WHEN p.id_number_status = 'valid' THEN p.id_number END AS id_number, p.ethnicity,
    a.hukou_district, concat(h.name, a.hukou_township) AS hukou_place, a.residence_district, concat(d.name, a.residence_township) AS residence_place,
    a.away_since, a.direction, a.accompanied, p.guardians[1].name AS guardian_name, p.guardians[1].relation AS guardian_relation,
    coalesce(p.guardians[1].phone, p.phones[1]) AS guardian_phone, f.school, c.categories,
    CASE WHEN f.person_id IS NULL THEN coalesce(a.reason, 'gone') END AS left_reason
FROM child
LEFT JOIN flowing_child f USING (person_id)
LEFT JOIN assessment a USING (person_id)
LEFT JOIN person p USING (person_id)
LEFT JOIN care c USING (person_id)
LEFT JOIN place h ON h.code = a.hukou_district
LEFT JOIN place d ON d.code = a.residence_district
ORDER BY person_id
