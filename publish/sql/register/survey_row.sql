-- survey_row: when and for which quarter the survey saw a child; the day as the rule reads it (rules/basis.py: surveys). A quarter in other words than 2026Q4 says nothing: the day does
INSERT INTO survey_row BY NAME
WITH said AS (
    SELECT *, nullif(regexp_extract(quarter, '^\d{4}Q[1-4]$'), '') AS of_quarter FROM standard_survey
)
SELECT
    r.person_id, s.of_quarter AS quarter,
    least(coalesce(
        s.surveyed_on, last_day(make_date(s.of_quarter[1:4]::INTEGER, 3 * s.of_quarter[6]::INTEGER, 1))
    ), s.export_date) AS seen_on,
    s.presence, s.record_hash, s.source_file, s.source_row
FROM said s JOIN person_record r USING (feed, source_file, source_row)
ORDER BY person_id, seen_on, record_hash, source_file, source_row;
