-- flowing children by age on the as-of date and by whom they live with
SELECT
    CASE
        WHEN age < 3 THEN '0—2岁' WHEN age < 6 THEN '3—5岁' WHEN age < 12 THEN '6—11岁' ELSE '12—16岁'
    END AS ages,
    count(*) AS children
FROM (
    SELECT date_diff('year', birth_date, as_of) - (strftime(birth_date, '%m%d') > strftime(as_of, '%m%d'))::INTEGER AS age
    FROM assessment
    WHERE outcome = 'flowing' AND birth_date IS NOT NULL
)
GROUP BY ages
ORDER BY min(age)
