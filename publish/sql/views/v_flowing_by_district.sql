SELECT
    residence_district, residence_district_name AS district_name, count(*) AS children,
    count(*) FILTER (direction = 'in_city') AS in_city, count(*) FILTER (direction = 'into_city') AS into_city,
    count(*) FILTER (len(categories) > 0) AS key_care, count(verification) AS verified
FROM flowing_child
GROUP BY residence_district, residence_district_name
ORDER BY residence_district
