SELECT m.*, p.name, concat(h.name, a.hukou_township) AS hukou, concat(d.name, a.residence_township) AS residence
FROM v_exchange_mismatch m
JOIN person p USING (person_id)
JOIN assessment a USING (person_id)
LEFT JOIN place h ON h.code = m.hukou_district
LEFT JOIN place d ON d.code = m.residence_district
ORDER BY m.mismatch, m.residence_district NULLS LAST, p.name NULLS LAST, m.person_id
