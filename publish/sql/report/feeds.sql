-- what is in use of each feed: files, rows, and how old the newest and oldest export are
SELECT
    feed,
    count(*) FILTER (state IN ('accepted', 'kept')) AS files,
    sum(rows_in)::BIGINT AS rows_in,
    sum(rows_accepted)::BIGINT AS rows_accepted,
    sum(rows_quarantined)::BIGINT AS rows_quarantined,
    max(export_date) FILTER (state IN ('accepted', 'kept')) AS newest,
    max(age_days) FILTER (state IN ('accepted', 'kept')) AS oldest_days
FROM feed_receipt
GROUP BY feed
ORDER BY feed
