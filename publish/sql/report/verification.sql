-- the newest answer of a department on each flowing child
SELECT residence_district AS district, coalesce(verification, 'none') AS result, count(*) AS children FROM flowing_child GROUP BY ALL ORDER BY district, result
