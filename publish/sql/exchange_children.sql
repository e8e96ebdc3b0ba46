-- One row per child and place to be told: where the hukou is, and where the child lives; a district of the city by its code, any other place by its province.
WITH known AS (
    SELECT
        person_id, outcome, reason, hukou_district, hukou_township, residence_district, residence_township, away_since,
        CASE WHEN hukou_district LIKE '50%' THEN hukou_district ELSE left(hukou_district, 2) || '0000' END AS hukou_at,
        CASE WHEN residence_district LIKE '50%' THEN residence_district ELSE left(residence_district, 2) || '0000' END AS lives_at
    FROM assessment
    WHERE hukou_district IS NOT NULL AND residence_district IS NOT NULL
),
told AS (
    -- lives in a district of the city, hukou elsewhere: the place of the hukou is told
    SELECT *, hukou_at AS told, 'hukou_there' AS side FROM known WHERE outcome = 'flowing'
    UNION ALL
    -- and the other way round: the place where a child lives whose hukou is ours is told
    SELECT *, lives_at, 'lives_there' FROM known
    WHERE hukou_at LIKE '50%' AND (outcome = 'flowing' OR reason = 'resides_outside_city')
)
SELECT
    t.told, n.name AS told_name, t.side, (SELECT max(as_of) FROM assessment) AS as_of, t.person_id, p.name, p.sex,
    CASE WHEN p.id_number_status = 'valid' THEN p.id_number END AS id_number,
    CASE WHEN p.id_number_status <> 'valid' THEN p.birth_date END AS birth_date,
    concat(h.name, t.hukou_township) AS hukou, concat(d.name, t.residence_township) AS residence, t.away_since
FROM told t
JOIN person p USING (person_id)
LEFT JOIN place n ON n.code = t.told
LEFT JOIN place h ON h.code = t.hukou_district
LEFT JOIN place d ON d.code = t.residence_district
ORDER BY t.told, t.side, t.hukou_district, t.residence_district, p.name NULLS LAST, t.person_id
