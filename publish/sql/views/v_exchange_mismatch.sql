WITH newest AS (
    SELECT e.*, coalesce(c.now_id, e.person_id) AS now_id
    FROM exchange_answer e LEFT JOIN v_merged_person c USING (person_id)
    WHERE (e.replied_on <= (SELECT max(as_of) FROM assessment)) IS NOT FALSE
    QUALIFY row_number() OVER (PARTITION BY now_id ORDER BY e.replied_on DESC NULLS LAST, e.record_hash) = 1
)
SELECT
    n.now_id AS person_id, n.notice_id, a.outcome, a.hukou_district, a.residence_district,
    CASE
        WHEN a.outcome = 'flowing' AND n.listed_as = '留守儿童' THEN 'left_behind_there'
        WHEN a.outcome = 'flowing' AND n.result = '已返回户籍地' THEN 'returned_there'
        WHEN n.result = '查无此人' THEN 'unknown_there'
        WHEN n.result = '户籍已迁出' THEN 'hukou_moved'
        WHEN n.result = '信息有误' THEN 'corrected'
        WHEN a.reason = 'resides_outside_city' AND n.listed_as = '未登记' THEN 'unlisted_there'
    END AS mismatch,
    n.result, n.listed_as, n.value, n.replied_on
FROM newest n JOIN assessment a ON a.person_id = n.now_id
WHERE mismatch IS NOT NULL
ORDER BY a.residence_district, person_id
