-- One row per child who counts as flowing, with what the rosters of the departments are cut from.
WITH care AS (
    SELECT
        person_id,
        list(category ORDER BY category) AS categories,
        list_sort(list_distinct(flatten(list(list_transform(basis, lambda b: b.says))))) AS care_basis,
        min(next_visit_due) AS next_visit_due
    FROM key_care
    GROUP BY person_id
),
held AS (
    SELECT person_id, list_sort(list_distinct(list(feed))) AS feeds_with_id
    FROM person_record
    WHERE id_role = 'own'
    GROUP BY person_id
),
lacking AS (
    SELECT person_id, list({'department': department, 'item': item, 'status': status} ORDER BY department, item) AS gaps
    FROM service_gap
    WHERE status IN ('missing', 'unknown')
    GROUP BY person_id
)
SELECT
    a.person_id, a.as_of, a.residence_district, a.residence_township, a.hukou_district, a.hukou_township, a.away_since, a.is_inferred, a.months_away,
    a.direction, a.accompanied, a.turns_16_on,
    p.name, p.former_names, p.sex, p.birth_date, p.id_number, p.id_number_status, p.former_id_numbers, p.guardians, p.phones, p.feeds,
    date_diff('year', p.birth_date, a.as_of)
        - (strftime(p.birth_date, '%m%d') > strftime(a.as_of, '%m%d'))::INTEGER AS age,
    h.feeds_with_id, c.categories, c.care_basis, c.next_visit_due, l.gaps
FROM assessment a
JOIN person p USING (person_id)
LEFT JOIN care c USING (person_id)
LEFT JOIN held h USING (person_id)
LEFT JOIN lacking l USING (person_id)
WHERE a.outcome = 'flowing' AND a.residence_district IS NOT NULL
ORDER BY a.residence_district, a.residence_township NULLS LAST, p.name NULLS LAST, a.person_id
