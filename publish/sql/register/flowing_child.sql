-- flowing_child: the children who count as flowing, with what a clerk wants to know of each
INSERT INTO flowing_child BY NAME
WITH place AS (
    SELECT code, name FROM division
),
seen AS (
    SELECT feed, source_file, source_row, person_id
    FROM person_record SEMI JOIN (SELECT person_id FROM assessment WHERE outcome = 'flowing') USING (person_id)
    WHERE feed IN ('education', 'medical_insurance')
),
school AS (
    SELECT r.person_id, e.school, e.school_code AS school_district, e.grade
    FROM standard_education e JOIN seen r USING (feed, source_file, source_row)
    WHERE e.status = '在读'
    QUALIFY row_number() OVER (PARTITION BY r.person_id ORDER BY e.enrolled_on DESC NULLS LAST, e.export_date DESC, e.record_hash) = 1
),
insurance AS (
    SELECT r.person_id, i.status AS insurance_status, i.insured_code AS insurance_district, i.paid_year AS insurance_year
    FROM standard_medical_insurance i JOIN seen r USING (feed, source_file, source_row)
    QUALIFY row_number() OVER (
        PARTITION BY r.person_id
        ORDER BY i.status = '正常参保' DESC NULLS LAST, i.paid_year DESC NULLS LAST, i.insured_on DESC NULLS LAST, i.export_date DESC, i.record_hash
    ) = 1
),
care AS (
    SELECT person_id, list(DISTINCT category ORDER BY category) AS categories FROM key_care GROUP BY person_id
),
listed AS (
    SELECT person_id, min(valid_from) AS first_listed_on FROM ledger WHERE is_flowing AND superseded_at IS NULL GROUP BY person_id
),
answer AS (
    SELECT coalesce(r.now_id, v.person_id) AS person_id, v.verified_on, v.result AS verification
    FROM verification_answer v LEFT JOIN v_merged_person r ON r.person_id = v.person_id
    WHERE v.verified_on <= $as_of AND v.result IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY coalesce(r.now_id, v.person_id) ORDER BY v.verified_on DESC, v.record_hash) = 1
)
SELECT
    a.person_id, p.name, p.former_names, p.sex, coalesce(a.birth_date, p.birth_date) AS birth_date, p.id_number, p.id_number_status, p.document_type, p.ethnicity,
    a.hukou_district, h.name AS hukou_district_name, a.hukou_township,
    a.residence_district, d.name AS residence_district_name, a.residence_division, a.residence_township,
    a.away_since, a.is_inferred, a.months_away, a.turns_16_on, a.direction, a.accompanied, a.confidence, p.guardians, p.phones,
    s.school, s.school_district, s.grade,
    i.insurance_status, i.insurance_district, b.name AS insurance_district_name, i.insurance_year,
    coalesce(c.categories, []::VARCHAR[]) AS categories, l.first_listed_on, v.verified_on, v.verification
FROM assessment a
JOIN person p USING (person_id)
LEFT JOIN place h ON h.code = a.hukou_district
LEFT JOIN place d ON d.code = a.residence_district
LEFT JOIN school s USING (person_id)
LEFT JOIN insurance i USING (person_id)
LEFT JOIN place b ON b.code = i.insurance_district
LEFT JOIN care c USING (person_id)
LEFT JOIN listed l USING (person_id)
LEFT JOIN answer v USING (person_id)
WHERE a.outcome = 'flowing'
ORDER BY person_id;
