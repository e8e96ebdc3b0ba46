-- One row per open alert that no roster tells the district it is for: of a child who does not count as flowing there. Mandatory reports have a workbook of their own.
SELECT
    a.alert_id, a.person_id, a.district, coalesce(place.name, a.district) AS place, n.day AS as_of, a.department, a.title, a.severity, a.raised_on, a.due_on,
    CASE WHEN a.due_on < n.day THEN n.day - a.due_on END AS days_late, a.message, a.evidence, p.name, p.sex, coalesce(s.birth_date, p.birth_date) AS birth_date,
    CASE WHEN p.id_number_status = 'valid' THEN p.id_number END AS id_number, s.reason, concat(h.name, s.hukou_township) AS hukou,
    concat(d.name, s.residence_township) AS residence, p.guardians
FROM alert a
CROSS JOIN (SELECT max(as_of) AS day FROM assessment) n
JOIN person p USING (person_id)
JOIN assessment s USING (person_id)
LEFT JOIN place ON place.code = a.district
LEFT JOIN place h ON h.code = s.hukou_district
LEFT JOIN place d ON d.code = s.residence_district
WHERE a.state <> 'closed' AND a.severity <> 'report' AND NOT (s.outcome = 'flowing' AND s.residence_district IS NOT DISTINCT FROM a.district)
ORDER BY a.district NULLS LAST, a.due_on, a.department, a.kind, a.person_id, a.alert_id
