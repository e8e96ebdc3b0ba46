WITH file AS (
    SELECT
        feed, count(*) FILTER (state IN ('accepted', 'kept')) AS files, max(export_date) FILTER (state IN ('accepted', 'kept')) AS newest_export,
        sum(rows_in)::BIGINT AS rows_in, sum(rows_quarantined)::BIGINT AS rows_quarantined
    FROM feed_receipt GROUP BY feed
),
row_of AS (
    SELECT
        feed, count(*) FILTER (len(p.warnings) > 0) AS with_warnings, count(*) FILTER (r.id_number_status = 'valid') AS with_valid_id,
        count(*) FILTER (p.link_method <> 'alone') AS linked
    FROM person_record p JOIN record r USING (feed, source_file, source_row) GROUP BY feed
)
SELECT
    feed, files, newest_export, rows_in, rows_quarantined,
    coalesce(with_warnings, 0) AS with_warnings, coalesce(with_valid_id, 0) AS with_valid_id, coalesce(linked, 0) AS linked
FROM file LEFT JOIN row_of USING (feed)
ORDER BY feed
