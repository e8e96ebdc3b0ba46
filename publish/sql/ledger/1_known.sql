-- What the night finds: `tonight`, today's entries; `known`, the entries that stood until tonight, under the identifiers of tonight.
-- An entry says one struct, `said`; what it holds is listed here and in schemas/tables/ledger.py (ENTRY_STATE).
CREATE TEMP MACRO entry(e) AS {
    'is_flowing': e.is_flowing, 'residence_district': e.residence_district, 'residence_township': e.residence_township,
    'hukou_district': e.hukou_district, 'hukou_township': e.hukou_township, 'away_since': e.away_since, 'birth_date': e.birth_date,
    'direction': e.direction, 'accompanied': e.accompanied, 'categories': e.categories
};

-- tonight: each child that counts as flowing or has a key-care category
CREATE TEMP TABLE tonight AS
WITH care AS (
    SELECT person_id, list(DISTINCT category ORDER BY category) AS categories FROM key_care GROUP BY person_id
),
child AS (
    SELECT
        a.person_id, a.outcome = 'flowing' AS is_flowing, a.residence_district, a.residence_township, a.hukou_district, a.hukou_township,
        a.away_since, a.birth_date, a.direction, a.accompanied, coalesce(c.categories, []::VARCHAR[]) AS categories
    FROM assessment a LEFT JOIN care c USING (person_id)
    WHERE a.outcome = 'flowing' OR c.person_id IS NOT NULL
)
SELECT person_id, entry(child) AS said FROM child;

-- known: `was` is the identifier an entry was recorded under; `ends` the day before which it ends
CREATE TEMP TABLE known AS
SELECT l.entry_id, coalesce(r.now_id, l.person_id) AS person_id, l.person_id AS was, l.valid_from, coalesce(l.valid_to, $forever::DATE) AS ends, entry(l) AS said
FROM previous_ledger l LEFT JOIN v_merged_person r ON r.person_id = l.person_id
WHERE l.superseded_at IS NULL;
