-- by district of residence: who counts as flowing, who is undetermined, who needs key care, and the alerts that are open there
WITH child AS (
    SELECT
        a.residence_district AS district,
        a.outcome,
        a.outcome = 'flowing' AND EXISTS (SELECT 1 FROM key_care k WHERE k.person_id = a.person_id) AS in_key_care
    FROM assessment a
    WHERE a.residence_district IS NOT NULL AND (a.residence_district LIKE '50%')
),
counted AS (
    SELECT
        district,
        count(*) FILTER (outcome = 'flowing') AS flowing,
        count(*) FILTER (outcome = 'undetermined') AS undetermined,
        count(*) FILTER (in_key_care) AS key_care
    FROM child
    GROUP BY district
),
alerts AS (
    SELECT district, count(*) AS alerts FROM alert WHERE state <> 'closed' AND district LIKE '50%' GROUP BY district
)
SELECT
    coalesce(place.name, district) AS label,
    coalesce(flowing, 0) AS flowing, coalesce(undetermined, 0) AS undetermined, coalesce(key_care, 0) AS key_care, coalesce(alerts, 0) AS alerts
FROM counted FULL JOIN alerts USING (district)
LEFT JOIN place ON place.code = district
ORDER BY flowing DESC, district
