-- by district of residence (of an alert: the one that should act): children who count as flowing, the undetermined, those in key care, alerts not closed
WITH counted AS (
    SELECT
        a.residence_district AS district,
        count(*) FILTER (a.outcome = 'flowing') AS flowing,
        count(*) FILTER (a.outcome = 'undetermined') AS undetermined,
        count(*) FILTER (a.outcome = 'flowing' AND EXISTS (SELECT 1 FROM key_care k WHERE k.person_id = a.person_id)) AS key_care
    FROM assessment a
    GROUP BY ALL
),
alerts AS (
    SELECT district, count(*) AS alerts FROM alert WHERE state <> 'closed' GROUP BY district
)
SELECT
    coalesce(c.district, a.district) AS district, coalesce(flowing, 0) AS flowing, coalesce(undetermined, 0) AS undetermined,
    coalesce(key_care, 0) AS key_care, coalesce(alerts, 0) AS alerts
FROM counted c FULL JOIN alerts a ON c.district IS NOT DISTINCT FROM a.district
ORDER BY district
