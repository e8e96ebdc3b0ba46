SELECT
    hukou_district, hukou_district_name AS hukou_name, residence_district, residence_district_name AS residence_name, count(*) AS children
FROM flowing_child
GROUP BY ALL
ORDER BY hukou_district, residence_district
