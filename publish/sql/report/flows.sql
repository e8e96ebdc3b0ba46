-- flowing children from where to where: the hukou's district within the city, its province outside; the district of residence
SELECT
    CASE WHEN hukou_district LIKE '50%' THEN hukou_district ELSE left(hukou_district, 2) || '0000' END AS origin,
    residence_district AS district, count(*) AS children
FROM assessment
WHERE outcome = 'flowing'
GROUP BY ALL
ORDER BY children DESC, origin, district
