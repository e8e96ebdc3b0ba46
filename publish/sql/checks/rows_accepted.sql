WITH told AS (
    SELECT feed, source_file, sum(rows_accepted)::BIGINT AS accepted, sum(rows_replaced)::BIGINT AS replaced FROM feed_receipt GROUP BY feed, source_file
),
held AS (
    SELECT feed, source_file, count(*) AS held FROM person_record GROUP BY feed, source_file
    UNION ALL
    SELECT feed, source_file, count(*) FROM standard_verification GROUP BY feed, source_file
    UNION ALL
    SELECT feed, source_file, count(*) FROM standard_visit GROUP BY feed, source_file
    UNION ALL
    SELECT feed, source_file, count(*) FROM standard_resource GROUP BY feed, source_file
    UNION ALL
    SELECT feed, source_file, count(*) FROM standard_exchange_reply GROUP BY feed, source_file
    UNION ALL
    SELECT feed, source_file, count(*) FROM standard_national_receipt GROUP BY feed, source_file
)
SELECT feed, source_file || ':', coalesce(accepted, 0), coalesce(replaced, 0), coalesce(held, 0)
FROM told FULL JOIN held USING (feed, source_file)
WHERE coalesce(accepted, 0) <> coalesce(replaced, 0) + coalesce(held, 0)
ORDER BY ALL
