-- One row per side of each possible match that nobody has decided, or whose decision contradicts others ($torn: pair_ids), in the order in which
-- deciding changes most: first contradictions, then pairs where a child is listed as flowing or needs key care, then those that settle most record
-- pairs, then the closest to even odds.
WITH owner AS (
    SELECT record_hash, min(person_id) AS person_id FROM person_record GROUP BY record_hash
),
side AS (
    SELECT q.pair_id, 1 AS side, coalesce(o.person_id, q."left") AS person_id FROM review_queue q LEFT JOIN owner o ON o.record_hash = q.left_record
    UNION ALL
    SELECT q.pair_id, 2, coalesce(o.person_id, q."right") FROM review_queue q LEFT JOIN owner o ON o.record_hash = q.right_record
),
care AS (
    SELECT person_id, list(category ORDER BY category) AS categories FROM key_care GROUP BY person_id
),
matters AS (
    SELECT s.pair_id, bool_or(coalesce(a.outcome = 'flowing', FALSE) OR c.person_id IS NOT NULL) AS changes_a_list
    FROM side s LEFT JOIN assessment a USING (person_id) LEFT JOIN care c USING (person_id)
    GROUP BY s.pair_id
)
SELECT
    s.pair_id, s.side, s.person_id, p.name, p.former_names, p.sex, p.birth_date, p.id_number, p.id_number_status, p.guardians, p.phones, p.feeds, p.records,
    concat(coalesce(h.name, a.hukou_district), a.hukou_township) AS hukou, concat(coalesce(r.name, a.residence_district), a.residence_township) AS residence, a.outcome, c.categories,
    q.match_weight, q.match_probability, q.cause, q.comparisons, q.decision, q.decided_by, q.decided_on
FROM side s
JOIN review_queue q USING (pair_id)
JOIN matters m USING (pair_id)
LEFT JOIN person p USING (person_id)
LEFT JOIN assessment a USING (person_id)
LEFT JOIN care c USING (person_id)
LEFT JOIN place h ON h.code = a.hukou_district
LEFT JOIN place r ON r.code = a.residence_district
WHERE q.decision IS NULL OR q.decision = 'unsure' OR list_contains($torn, q.pair_id)
ORDER BY list_contains($torn, q.pair_id) DESC, m.changes_a_list DESC, q.gain DESC, abs(q.match_probability - 0.5), s.pair_id, s.side
