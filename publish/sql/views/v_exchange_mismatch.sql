-- the place that a notice went to stands in its number; the hukou's place and that of residence are each asked, and the word of one is not the other's
WITH newest AS (
    SELECT e.*, coalesce(c.now_id, e.person_id) AS now_id, nullif(regexp_extract(upper(e.notice_id), '-([0-9A-Z]{6})\s*$', 1), '') AS told
    FROM exchange_answer e LEFT JOIN v_merged_person c USING (person_id)
    WHERE (e.replied_on <= (SELECT max(as_of) FROM assessment)) IS NOT FALSE
    QUALIFY row_number() OVER (PARTITION BY coalesce(c.now_id, e.person_id), told ORDER BY e.replied_on DESC NULLS LAST, e.record_hash) = 1
),
-- the places that share the child with us today: a district of the city by its code, any other by its province
shared AS (
    SELECT *, CASE WHEN hukou_district LIKE '50%' THEN hukou_district ELSE left(hukou_district, 2) || '0000' END AS hukou_at,
        CASE WHEN residence_district LIKE '50%' THEN residence_district ELSE left(residence_district, 2) || '0000' END AS lives_at
    FROM assessment
)
SELECT
    n.now_id AS person_id, n.notice_id, a.outcome, a.hukou_district, a.residence_district,
    CASE
        WHEN a.outcome = 'flowing' AND n.listed_as = '留守儿童' THEN 'left_behind_there'
        WHEN a.outcome = 'flowing' AND n.result = '已返回户籍地' THEN 'returned_there'
        WHEN n.result = '查无此人' THEN 'unknown_there'
        WHEN n.result = '户籍已迁出' THEN 'hukou_moved'
        WHEN n.result = '信息有误' THEN 'corrected'
        WHEN a.reason = 'resides_outside_city' AND a.hukou_at LIKE '50%' AND n.listed_as = '未登记' THEN 'unlisted_there'
    END AS mismatch,
    n.result, n.listed_as, n.value, n.replied_on
FROM newest n JOIN shared a ON a.person_id = n.now_id
WHERE mismatch IS NOT NULL AND (n.told IN (a.hukou_at, a.lives_at)) IS NOT FALSE
ORDER BY a.residence_district, person_id, n.notice_id
