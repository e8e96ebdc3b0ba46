WITH persons AS (
    SELECT person_id, count(*) AS persons FROM person GROUP BY person_id
),
assessments AS (
    SELECT person_id, count(*) AS assessments FROM assessment GROUP BY person_id
)
SELECT person_id || ':', coalesce(persons, 0), coalesce(assessments, 0)
FROM persons FULL JOIN assessments USING (person_id)
WHERE persons IS DISTINCT FROM 1 OR assessments IS DISTINCT FROM 1
ORDER BY ALL
