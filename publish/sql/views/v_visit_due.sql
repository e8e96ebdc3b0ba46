WITH night AS (
    SELECT max(as_of) AS as_of FROM assessment
),
care AS (
    SELECT person_id, list(category ORDER BY category) AS categories, max(last_visit_on) AS last_visit_on, min(next_visit_due) AS next_visit_due
    FROM key_care GROUP BY person_id
)
SELECT
    c.person_id, a.residence_district, d.name AS district_name, a.residence_township, c.categories, c.last_visit_on, c.next_visit_due,
    c.next_visit_due < n.as_of AS is_overdue, greatest(n.as_of - c.next_visit_due, 0)::INTEGER AS days_overdue
FROM care c
CROSS JOIN night n
JOIN assessment a USING (person_id)
LEFT JOIN division d ON d.code = a.residence_district
ORDER BY a.residence_district, c.next_visit_due, c.person_id
