-- where the flowing children's hukou is: districts of the city, provinces outside it
WITH hukou AS (
    SELECT CASE WHEN hukou_district LIKE '50%' THEN hukou_district ELSE left(hukou_district, 2) || '0000' END AS origin
    FROM assessment
    WHERE outcome = 'flowing' AND hukou_district IS NOT NULL
)
SELECT coalesce(place.name, origin) AS label, count(*) AS children
FROM hukou LEFT JOIN place ON place.code = origin
GROUP BY label
ORDER BY children DESC, label
