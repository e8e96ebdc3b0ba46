-- survey_row: when and for which quarter the survey saw a child; the day as the rule reads it (rules/basis.py: surveys)
INSERT INTO survey_row BY NAME
SELECT
    r.person_id, s.quarter,
    least(coalesce(
        s.surveyed_on,
        last_day(make_date(try_cast(regexp_extract(s.quarter, '^(\d{4})Q[1-4]$', 1) AS INTEGER), 3 * try_cast(regexp_extract(s.quarter, '^\d{4}Q([1-4])$', 1) AS INTEGER), 1))
    ), s.export_date) AS seen_on,
    s.presence, s.record_hash, s.source_file, s.source_row
FROM standard_survey s JOIN person_record r USING (feed, source_file, source_row)
ORDER BY person_id, seen_on, record_hash, source_file, source_row;
