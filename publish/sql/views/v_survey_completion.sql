SELECT
    residence_district, district_name, quarter, count(*) AS children, count(*) FILTER (is_done) AS surveyed, count(*) FILTER (NOT is_done) AS to_survey,
    count(*) FILTER (is_overdue) AS overdue, round(count(*) FILTER (is_done) / count(*), 3) AS share_surveyed
FROM v_survey_child
GROUP BY ALL
ORDER BY residence_district
