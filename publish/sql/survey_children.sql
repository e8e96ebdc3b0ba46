-- One row per child whom the quarter's survey should still see, with what the sheet is filled in with beforehand.
WITH place_of AS (
    SELECT p.person_id, r.address, r.place_code, r.place_township, r.export_date, r.record_hash
    FROM person_record p JOIN record r USING (feed, source_file, source_row)
    WHERE r.address IS NOT NULL
),
lives AS (
    SELECT o.person_id, o.address
    FROM place_of o JOIN assessment a USING (person_id)
    WHERE o.place_code = a.residence_district AND o.place_township IS NOT DISTINCT FROM a.residence_township
    QUALIFY row_number() OVER (PARTITION BY o.person_id ORDER BY o.export_date DESC, o.record_hash) = 1
)
SELECT
    v.*, p.name, p.sex, coalesce(a.birth_date, p.birth_date) AS birth_date, CASE WHEN p.id_number_status = 'valid' THEN p.id_number END AS id_number,
    p.guardians, p.feeds, l.address, concat(h.name, a.hukou_township) AS hukou, concat(d.name, a.residence_township) AS residence,
    nullif(regexp_extract(replace(l.address, coalesce(a.residence_township, ''), '|'), '\|([\x{4e00}-\x{9fff}]{1,8}?(?:村|社区|居委会))', 1), '') AS village
FROM v_survey_child v
JOIN person p USING (person_id)
JOIN assessment a USING (person_id)
LEFT JOIN lives l USING (person_id)
LEFT JOIN place h ON h.code = a.hukou_district
LEFT JOIN place d ON d.code = a.residence_district
WHERE NOT v.is_done
ORDER BY v.residence_district, v.residence_township NULLS LAST, village NULLS LAST, v.standing, p.name NULLS LAST, v.person_id
