-- Rows of answered rosters that intake turned away
SELECT source_file, source_row, list_aggregate(reasons_zh, 'string_agg', '；') AS problem
FROM quarantine
WHERE feed = 'verification'
ORDER BY source_file, source_row
