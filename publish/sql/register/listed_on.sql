-- ledger_on(day, known_on): every child's entry for that day, as we knew it at the end of the day known_on (in the city, UTC+8)
CREATE MACRO ledger_on(day, known_on) AS TABLE
SELECT * FROM ledger
WHERE valid_from <= day::DATE AND (valid_to IS NULL OR valid_to > day::DATE)
    AND recorded_at + INTERVAL 8 HOUR < known_on::DATE + INTERVAL 1 DAY
    AND (superseded_at IS NULL OR superseded_at + INTERVAL 8 HOUR >= known_on::DATE + INTERVAL 1 DAY)
ORDER BY person_id;
-- listed_on(day, known_on): of those, who was on the list as flowing
CREATE MACRO listed_on(day, known_on) AS TABLE
SELECT * FROM ledger_on(day, known_on) WHERE is_flowing ORDER BY person_id;
