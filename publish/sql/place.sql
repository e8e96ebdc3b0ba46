-- How a place is written: a district of the city by its name, any other with province and prefecture in front.
CREATE OR REPLACE TEMP VIEW place AS
SELECT
    d.code,
    CASE
        WHEN d.code LIKE '50%' THEN d.name
        ELSE concat(
            CASE WHEN d.code NOT LIKE '%0000' AND NOT starts_with(d.name, p.name) THEN p.name END,
            CASE WHEN d.code NOT LIKE '%00' AND NOT contains(d.name, c.name) THEN c.name END,
            d.name
        )
    END AS name
FROM division d
LEFT JOIN division p ON p.code = left(d.code, 2) || '0000'
LEFT JOIN division c ON c.code = left(d.code, 4) || '00' AND c.code <> p.code
