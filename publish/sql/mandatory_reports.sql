-- One row per open mandatory report: the child, where it can be found, whom to reach, what was found by whom, and whether the police were told.
WITH visited AS (
    -- visits up to the day, under the identifier that stands for the child now
    SELECT coalesce(s.now_id, v.person_id) AS person_id, v.visited_on, v.situation, v.reported_on
    FROM visit v LEFT JOIN v_merged_person s USING (person_id)
    WHERE v.visited_on <= (SELECT max(as_of) FROM assessment)
),
-- of which situation the police must have been told, for a report of this kind to be made
about (kind, situation) AS (
    VALUES
        ('living_alone', '独自居住'), ('no_guardian', '独自居住'), ('no_guardian', '监护人不履行监护责任'), ('guardian_neglect', '监护人不履行监护责任'),
        ('suspected_violence', '疑似家庭暴力'), ('suspected_harm', '疑似意外伤害或不法侵害')
),
seen AS (
    -- where somebody last wrote down an address: a survey before the residence register, then the newest export
    SELECT l.person_id, r.address
    FROM person_record l JOIN record r USING (feed, source_file, source_row)
    WHERE r.address IS NOT NULL AND r.feed IN ('survey', 'residence')
    QUALIFY row_number() OVER (PARTITION BY l.person_id ORDER BY r.feed = 'survey' DESC, r.export_date DESC, r.record_hash, r.source_file, r.source_row) = 1
),
found AS (
    SELECT v.person_id, about.kind, max(v.visited_on) AS found_on FROM visited v JOIN about USING (situation) GROUP BY ALL
),
clear AS (
    -- a visit that found none ends what the police were told before; one after the finding that the report rests on did not count as a visit, or there were no report
    SELECT f.person_id, f.kind, max(v.visited_on) AS cleared_on
    FROM found f
    JOIN alert a ON a.person_id = f.person_id AND a.kind = f.kind
    JOIN visited v ON v.person_id = f.person_id AND v.situation = '无'
    WHERE v.visited_on <= f.found_on OR NOT list_contains(list_transform(a.evidence, lambda e: e.feed), 'visit')
    GROUP BY ALL
),
told AS (
    SELECT v.person_id, about.kind, max(v.reported_on) AS reported_on
    FROM visited v JOIN about USING (situation) LEFT JOIN clear c ON c.person_id = v.person_id AND c.kind = about.kind
    WHERE v.visited_on >= coalesce(c.cleared_on, v.visited_on) AND v.reported_on <= (SELECT max(as_of) FROM assessment)
    GROUP BY ALL
)
SELECT
    a.alert_id, a.person_id, a.district, coalesce(place.name, a.district) AS place,
    p.name, p.sex, a_s.birth_date, p.id_number,
    concat(coalesce(hukou.name, a_s.hukou_district), a_s.hukou_township) AS hukou,
    concat(coalesce(home.name, a_s.residence_district), a_s.residence_township) AS residence, seen.address,
    p.guardians, p.phones, a.title, a.evidence, a.raised_on, a.due_on, told.reported_on
FROM alert a
JOIN person p USING (person_id)
JOIN assessment a_s USING (person_id)
LEFT JOIN seen USING (person_id)
LEFT JOIN told USING (person_id, kind)
LEFT JOIN place ON place.code = a.district
LEFT JOIN place hukou ON hukou.code = a_s.hukou_district
LEFT JOIN place home ON home.code = a_s.residence_district
WHERE a.severity = 'report' AND a.state <> 'closed'
ORDER BY a.district NULLS LAST, a.raised_on, a.person_id, a.kind
