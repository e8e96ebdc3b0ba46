-- a number that the household register shows as changed is in former_id_numbers; a row that a reviewer placed has link_method 'review'
WITH own AS (
    SELECT p.person_id, r.id_number
    FROM person_record p JOIN record r USING (feed, source_file, source_row)
    WHERE p.id_role = 'own' AND r.id_number_status = 'valid'
    GROUP BY p.person_id, r.id_number
)
SELECT o.person_id || ':', count(*)
FROM own o JOIN person USING (person_id)
WHERE NOT list_contains(person.former_id_numbers, o.id_number) AND NOT EXISTS (
    SELECT 1 FROM person_record d WHERE d.person_id = o.person_id AND d.link_method = 'review'
)
GROUP BY o.person_id
HAVING count(*) > 1
ORDER BY ALL
