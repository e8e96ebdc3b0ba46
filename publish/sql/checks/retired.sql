SELECT person_id FROM person SEMI JOIN (SELECT person_id FROM identity WHERE state = 'merged') USING (person_id) ORDER BY ALL
