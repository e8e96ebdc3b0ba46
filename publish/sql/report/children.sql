-- flowing children by age on the as-of date, and by whom they live with
WITH child AS (
    SELECT *, date_diff('year', birth_date, as_of) - (strftime(birth_date, '%m%d') > strftime(as_of, '%m%d'))::INTEGER AS age
    FROM assessment
    WHERE outcome = 'flowing'
)
SELECT
    'age' AS topic,
    CASE WHEN age < 3 THEN '0—2岁' WHEN age < 6 THEN '3—5岁' WHEN age < 12 THEN '6—11岁' WHEN age >= 12 THEN '12—16岁' ELSE '不明' END AS item,
    min(age) AS place, count(*) AS children
FROM child GROUP BY item
UNION ALL
SELECT 'accompanied', accompanied, -count(*), count(*) FROM child GROUP BY accompanied
ORDER BY topic, place, item
