-- `numbered`: person_record with the number of each row (publish/checks.py).
-- A reviewer says so where a pair decided "same" is this child's by identifier, row or record key. The household register shows a change of number where each of the
-- numbers stands in an entry of it; matching/people.py, which compares those entries, calls the numbers conflicting where they do not show one.
WITH own AS (
    SELECT person_id, id_number, bool_or(feed = 'household') AS is_registered
    FROM numbered
    WHERE id_role = 'own' AND id_number_status = 'valid'
    GROUP BY person_id, id_number
),
several AS (
    SELECT person_id, count(*) AS numbers, bool_and(is_registered) AS are_registered FROM own GROUP BY person_id HAVING count(*) > 1
),
same AS (
    SELECT "left", "right", left_records || right_records AS records, left_keys || right_keys AS keys FROM review_queue WHERE decision = 'same'
),
held AS (
    SELECT person_id, record_hash, feed || ':' || record_key AS key FROM person_record SEMI JOIN several USING (person_id)
),
reviewed AS (
    SELECT unnest(["left", "right"]) AS person_id FROM same
    UNION
    SELECT person_id FROM held SEMI JOIN (SELECT unnest(records) AS record_hash FROM same) USING (record_hash)
    UNION
    SELECT person_id FROM held SEMI JOIN (SELECT unnest(keys) AS key FROM same) USING (key)
)
SELECT person_id || ':', numbers
FROM several JOIN person USING (person_id) ANTI JOIN reviewed USING (person_id)
WHERE NOT are_registered OR person.id_number_status = 'conflicting'
ORDER BY ALL
