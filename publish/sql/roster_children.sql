-- One row per child who counts as flowing, with what the rosters of the departments are cut from.
WITH as_of AS (
    SELECT max(as_of) AS day FROM assessment
),
care AS (
    SELECT
        person_id,
        list(category ORDER BY category) AS categories,
        list_sort(list_distinct(flatten(list(list_transform(basis, lambda b: b.says))))) AS care_basis,
        min(next_visit_due) AS next_visit_due
    FROM key_care
    GROUP BY person_id
),
-- the feeds of which a row of the child's holds the very number, in its id column or inside its key (学籍号, 残疾人证号)
held AS (
    SELECT p.person_id, list_sort(list_distinct(list(r.feed))) AS feeds_with_id
    FROM person p
    JOIN person_record l USING (person_id)
    JOIN record r ON r.feed = l.feed AND r.source_file = l.source_file AND r.source_row = l.source_row
    WHERE p.id_number IN (r.id_number, r.key_id_number)
    GROUP BY p.person_id
),
-- what a department should look at: its open alerts, what the child seems to lack, and what cannot be told of this child but can of others
noticed AS (
    SELECT person_id, department, title AS what, is_restricted, 1 AS rank FROM alert WHERE state <> 'closed'
    UNION ALL
    SELECT person_id, department, item || '：' || CASE status WHEN 'missing' THEN '未见享有' ELSE '情况不明' END, FALSE, 2
    FROM service_gap
    WHERE status = 'missing' OR (status = 'unknown' AND item IN (SELECT item FROM service_gap WHERE status <> 'unknown'))
),
notes AS (
    SELECT person_id, list({'department': department, 'what': what, 'is_restricted': is_restricted} ORDER BY rank, what, department) AS notes
    FROM noticed
    GROUP BY person_id
)
SELECT
    f.* EXCLUDE (categories, hukou_district_name, residence_district_name, insurance_district_name),
    as_of.day AS as_of,
    p.former_id_numbers, p.feeds,
    date_diff('year', f.birth_date, as_of.day) - (strftime(f.birth_date, '%m%d') > strftime(as_of.day, '%m%d'))::INTEGER AS age,
    coalesce(hukou.name, f.hukou_district) AS hukou_place,
    coalesce(residence.name, f.residence_district) AS residence_place,
    coalesce(insurance.name, f.insurance_district) AS insurance_place,
    held.feeds_with_id, care.categories, care.care_basis, care.next_visit_due, notes.notes
FROM flowing_child f
CROSS JOIN as_of
JOIN person p USING (person_id)
LEFT JOIN care USING (person_id)
LEFT JOIN held USING (person_id)
LEFT JOIN notes USING (person_id)
LEFT JOIN place hukou ON hukou.code = f.hukou_district
LEFT JOIN place residence ON residence.code = f.residence_district
LEFT JOIN place insurance ON insurance.code = f.insurance_district
WHERE f.residence_district IS NOT NULL
ORDER BY f.residence_district, f.residence_township NULLS LAST, f.name NULLS LAST, f.person_id
