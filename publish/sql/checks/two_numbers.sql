-- `numbered`: person_record with the number of each row (publish/checks.py).
-- A number that the household register shows as changed is in former_id_numbers; a row that a reviewer placed has link_method 'review'.
WITH own AS (
    SELECT DISTINCT person_id, id_number FROM numbered WHERE id_role = 'own' AND id_number_status = 'valid'
),
several AS (
    SELECT person_id FROM own GROUP BY person_id HAVING count(*) > 1
)
SELECT o.person_id || ':', count(*)
FROM (SELECT * FROM own SEMI JOIN several USING (person_id)) o JOIN person USING (person_id)
WHERE NOT list_contains(person.former_id_numbers, o.id_number) AND NOT EXISTS (
    SELECT 1 FROM person_record d WHERE d.person_id = o.person_id AND d.link_method = 'review'
)
GROUP BY o.person_id
HAVING count(*) > 1
ORDER BY ALL
