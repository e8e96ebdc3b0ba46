SELECT feed, source_file || ':', source_row
FROM person_record p FULL JOIN record r USING (feed, source_file, source_row)
WHERE p.record_hash IS DISTINCT FROM r.record_hash
ORDER BY ALL
