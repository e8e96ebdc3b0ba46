-- The events of the night: what the touched children's entry for $as_of was, what it is, and why. Words of `word` (kind, code, zh), places of `division`.
CREATE TEMP MACRO in_words(k, c) AS coalesce((SELECT zh FROM word WHERE kind = k AND code = c), c);
CREATE TEMP MACRO at_place(district, township) AS
    coalesce((SELECT name FROM division WHERE code = district), district, '不明') || coalesce(township, '');

CREATE TEMP TABLE change AS
WITH before AS (
    SELECT k.person_id, k.said
    FROM known k SEMI JOIN touched USING (person_id)
    WHERE k.valid_from <= $as_of::DATE AND k.ends > $as_of::DATE
    QUALIFY row_number() OVER (PARTITION BY k.person_id ORDER BY k.said.is_flowing DESC, k.was = k.person_id DESC, k.was, k.entry_id) = 1
)
SELECT
    person_id, b.said AS b, a.said AS a, coalesce(b.said.is_flowing, FALSE) AS was_listed, coalesce(a.said.is_flowing, FALSE) AS is_listed,
    n.reason, n.turns_16_on, n.hukou_district, n.residence_district, p.reason AS reason_before,
    EXISTS (
        SELECT 1 FROM reform r
        WHERE r.before = b.said.residence_district AND r.code = a.said.residence_district AND r.on_date <= $as_of::DATE AND r.on_date > $last_as_of::DATE
    ) AS is_renamed,
    EXISTS (
        SELECT 1 FROM reform r
        WHERE r.before = b.said.hukou_district AND r.code = a.said.hukou_district AND r.on_date <= $as_of::DATE AND r.on_date > $last_as_of::DATE
    ) AS is_hukou_renamed
FROM touched
LEFT JOIN before b USING (person_id)
LEFT JOIN tonight a USING (person_id)
LEFT JOIN assessment n USING (person_id)
LEFT JOIN previous_assessment p USING (person_id)
WHERE b.said IS DISTINCT FROM a.said;

-- compared: children whose entry goes on, and in what it differs
CREATE TEMP TABLE compared AS
SELECT
    person_id, b, a,
    (CASE WHEN is_renamed THEN ['居住区县', '居住乡镇街道'] ELSE [] END) || (CASE WHEN is_hukou_renamed THEN ['户籍区县', '户籍乡镇街道'] ELSE [] END) AS reformed,
    NOT is_renamed AND (b.residence_district <> a.residence_district
        OR (b.residence_district = a.residence_district AND b.residence_township <> a.residence_township)) IS TRUE AS is_moved,
    list_filter([
        CASE WHEN b.residence_district IS DISTINCT FROM a.residence_district THEN '居住区县' END,
        CASE WHEN b.residence_township IS DISTINCT FROM a.residence_township THEN '居住乡镇街道' END,
        CASE WHEN b.hukou_district IS DISTINCT FROM a.hukou_district THEN '户籍区县' END,
        CASE WHEN b.hukou_township IS DISTINCT FROM a.hukou_township THEN '户籍乡镇街道' END,
        CASE WHEN b.away_since IS DISTINCT FROM a.away_since THEN '离开户籍地日期' END,
        CASE WHEN b.birth_date IS DISTINCT FROM a.birth_date THEN '出生日期' END,
        CASE WHEN b.direction <> a.direction THEN '流动方向' END,
        CASE WHEN b.accompanied <> a.accompanied THEN '随同情况' END
    ], lambda field: field IS NOT NULL) AS fields
FROM change
WHERE b IS NOT NULL AND a IS NOT NULL AND was_listed = is_listed AND NOT $is_late::BOOLEAN;

-- answered: departments' answers that count from tonight on, each in words; no value of the child is told, it stands in verification_answer.
-- One that waits only because the last night ran for an earlier day than its own was told when it began to count.
CREATE TEMP TABLE answered AS
SELECT
    s.person_id, s.question, a.roster_id, s.record_hash,
    coalesce(s.department, '') || '部门' || s.verified_on || '核实（' || a.roster_id || '）：' || a.result
        || CASE WHEN s.question IN ('presence', 'withdrawn') THEN '' ELSE '，更正' || in_words('question', s.question) END AS told
FROM verification_state s
JOIN verification_answer a USING (record_hash)
LEFT JOIN previous_verification_state p USING (record_hash)
WHERE s.state = 'applied' AND p.state IS DISTINCT FROM 'applied' AND NOT (
    p.state IS NOT DISTINCT FROM 'waiting' AND EXISTS (
        SELECT 1 FROM previous_ledger_event e
        WHERE e.kind = 'corrected' AND e.before IS NULL AND (e.after ->> 'answer') = s.record_hash::VARCHAR
    )
);

CREATE TEMP TABLE found AS
-- onto the list
SELECT
    person_id, 'listed' AS kind, to_json(b)::VARCHAR AS before, to_json(a)::VARCHAR AS after,
    CASE
        WHEN reason_before IS NULL THEN
            CASE WHEN EXISTS (SELECT 1 FROM known k WHERE k.person_id = change.person_id AND k.said.is_flowing) THEN '各部门数据中再次有该儿童的记录，重新认定' ELSE '首次认定' END
            || '为流动儿童：户籍' || at_place(a.hukou_district, a.hukou_township) || '，居住' || at_place(a.residence_district, a.residence_township)
        WHEN reason_before = 'under_six_months' THEN '离开户籍地满6个月'
        ELSE '认定由「' || in_words('reason', reason_before) || '」变为「' || in_words('reason', reason) || '」'
    END AS cause
FROM change WHERE is_listed AND NOT was_listed AND NOT $is_late::BOOLEAN
UNION ALL
-- off the list
SELECT
    person_id, CASE reason WHEN 'age_16_or_over' THEN 'turned_16' WHEN 'returned' THEN 'returned' ELSE 'left' END,
    to_json(b)::VARCHAR,
    CASE WHEN reason IS NOT NULL THEN to_json({'reason': reason, 'hukou_district': hukou_district, 'residence_district': residence_district})::VARCHAR END,
    CASE
        WHEN reason IS NULL THEN '各部门的最新数据中均不再有该儿童的记录'
        WHEN reason = 'age_16_or_over' THEN '已于' || coalesce(turns_16_on::VARCHAR, '') || '年满16周岁'
        WHEN reason = 'returned' THEN '已返回户籍地' || at_place(hukou_district, NULL)
        WHEN reason = 'same_district' AND b.hukou_district <> hukou_district THEN
            '户籍由' || at_place(b.hukou_district, NULL) || '迁至居住地' || at_place(hukou_district, NULL)
        WHEN reason = 'same_district' THEN '现居住在户籍所在区县' || at_place(hukou_district, NULL)
        ELSE '认定由「' || in_words('reason', 'flowing') || '」变为「' || in_words('reason', reason) || '」'
    END
FROM change WHERE was_listed AND NOT is_listed AND NOT $is_late::BOOLEAN
UNION ALL
-- still there, elsewhere
SELECT
    person_id, 'moved',
    to_json({'residence_district': b.residence_district, 'residence_township': b.residence_township})::VARCHAR,
    to_json({'residence_district': a.residence_district, 'residence_township': a.residence_township})::VARCHAR,
    '居住地由' || at_place(b.residence_district, b.residence_township) || '变为' || at_place(a.residence_district, a.residence_township)
FROM compared WHERE is_moved
UNION ALL
-- still there, known better
SELECT
    person_id, 'corrected', to_json(b)::VARCHAR, to_json(a)::VARCHAR,
    concat_ws(
        '；', '行政区划调整：' || nullif(array_to_string(list_filter(told, lambda field: list_contains(reformed, field)), '、'), ''),
        '各部门数据更正或变动：' || nullif(array_to_string(list_filter(told, lambda field: NOT list_contains(reformed, field)), '、'), '')
    )
FROM (
    SELECT *, CASE WHEN is_moved THEN list_filter(fields, lambda field: field NOT LIKE '居住%') ELSE fields END AS told FROM compared
)
WHERE len(told) > 0
UNION ALL
SELECT
    person_id, 'corrected', to_json(b)::VARCHAR, to_json(a)::VARCHAR,
    '补算' || $as_of::DATE || '的认定结果，只更正该日至' || ($until::DATE - 1) || '的台账'
FROM change WHERE $is_late::BOOLEAN
UNION ALL
-- key care
SELECT
    person_id, 'key_care_added', NULL, to_json({'category': category})::VARCHAR,
    '列入重点关爱服务对象：' || in_words('category', category) || coalesce('，依据' || array_to_string(feeds, '、') || '数据', '')
FROM (
    SELECT c.person_id, unnest(c.a.categories) AS category, coalesce(c.b.categories, []::VARCHAR[]) AS had FROM change c WHERE NOT $is_late::BOOLEAN
)
LEFT JOIN (
    SELECT person_id, category, list(DISTINCT coalesce(zh, feed) ORDER BY coalesce(zh, feed)) AS feeds
    FROM (SELECT person_id, category, unnest(basis).feed AS feed FROM key_care)
    LEFT JOIN word ON word.kind = 'feed' AND word.code = feed
    GROUP BY person_id, category
) USING (person_id, category)
WHERE NOT list_contains(had, category)
UNION ALL
SELECT
    person_id, 'key_care_ended', to_json({'category': category})::VARCHAR, NULL,
    CASE
        WHEN NOT is_listed AND was_listed THEN '不再属于流动儿童，' || in_words('category', category) || '随之终止'
        ELSE '各部门数据中已无「' || in_words('category', category) || '」的依据'
    END
FROM (
    SELECT person_id, was_listed, is_listed, unnest(b.categories) AS category, coalesce(a.categories, []::VARCHAR[]) AS has
    FROM change WHERE NOT $is_late::BOOLEAN
)
WHERE NOT list_contains(has, category)
UNION ALL
-- a department's answer that counts from tonight on
SELECT person_id, 'corrected', NULL, to_json({'answer': record_hash::VARCHAR, 'roster_id': roster_id, 'question': question})::VARCHAR, told FROM answered
UNION ALL
-- one child under two identifiers, two children under one: told at each identifier concerned
SELECT person_id, kind, to_json({'person_ids': list_sort(list_append(others, person_id))})::VARCHAR, to_json({'person_ids': [person_id]})::VARCHAR,
    CASE cause WHEN 'review' THEN '人工核对确认' ELSE '各部门记录表明' END || '为同一儿童，其他编码的台账并入本编码'
FROM identity_event WHERE kind = 'merged'
UNION ALL
SELECT other, kind, to_json({'person_ids': [other]})::VARCHAR, to_json({'person_ids': [person_id]})::VARCHAR,
    CASE cause WHEN 'review' THEN '人工核对确认' ELSE '各部门记录表明' END || '为同一儿童，台账并入编码' || person_id
FROM (SELECT *, unnest(others) AS other FROM identity_event) WHERE kind = 'merged'
UNION ALL
SELECT person_id, kind, to_json({'person_ids': [person_id]})::VARCHAR, to_json({'person_ids': list_sort(list_append(others, person_id))})::VARCHAR,
    CASE cause WHEN 'review' THEN '人工核对确认' ELSE '各部门记录表明' END || '不是同一儿童，此前的台账留在本编码'
FROM identity_event WHERE kind = 'split'
UNION ALL
SELECT other, kind, to_json({'person_ids': [person_id]})::VARCHAR, to_json({'person_ids': [other]})::VARCHAR,
    CASE cause WHEN 'review' THEN '人工核对确认' ELSE '各部门记录表明' END || '不是同一儿童，由编码' || person_id || '分出'
FROM (SELECT *, unnest(others) AS other FROM identity_event) WHERE kind = 'split';

-- ledger_event: all that were, and tonight's; how often a like event was told before goes into its number
INSERT INTO ledger_event BY NAME
WITH counted AS (
    SELECT f.*, count(p.event_id) AS times
    FROM found f LEFT JOIN previous_ledger_event p
    ON p.person_id = f.person_id AND p.kind = f.kind AND p.on_date = $as_of::DATE AND p.before IS NOT DISTINCT FROM f.before AND p.after IS NOT DISTINCT FROM f.after
    GROUP BY ALL
),
-- a change of a child about whom an answer counts from tonight on rests on that answer too
resting AS (
    SELECT person_id, string_agg(told, '；' ORDER BY told) AS told FROM answered GROUP BY person_id
)
SELECT * FROM previous_ledger_event
UNION ALL BY NAME
SELECT
    'E' || left(md5(concat_ws('|', person_id, kind, $as_of::DATE, coalesce(before, '-'), coalesce(after, '-'), times)), 20) AS event_id,
    person_id, kind, $as_of::DATE AS on_date, $run_id AS run_id, before, after,
    CASE
        WHEN told IS NOT NULL AND kind IN ('listed', 'left', 'returned', 'moved', 'corrected') AND cause NOT IN (SELECT told FROM answered)
        THEN cause || '（依据：' || told || '）' ELSE cause
    END AS cause
FROM counted LEFT JOIN resting USING (person_id)
ORDER BY on_date, person_id, kind, event_id;
