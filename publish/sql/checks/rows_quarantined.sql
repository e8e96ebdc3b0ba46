WITH told AS (
    SELECT feed, source_file, sum(rows_quarantined)::BIGINT AS told FROM feed_receipt GROUP BY feed, source_file
),
held AS (
    SELECT feed, source_file, count(*) AS held FROM quarantine GROUP BY feed, source_file
)
SELECT feed, source_file || ':', coalesce(told, 0), coalesce(held, 0)
FROM told FULL JOIN held USING (feed, source_file)
WHERE coalesce(told, 0) <> coalesce(held, 0)
ORDER BY ALL
