-- entitlements of flowing children by item, as far as the feeds can show them
SELECT
    aspect, item, department,
    count(*) FILTER (status = 'has') AS has,
    count(*) FILTER (status = 'missing') AS missing,
    count(*) FILTER (status = 'unknown') AS unknown
FROM service_gap
GROUP BY aspect, item, department
ORDER BY list_position(['幼有所育', '学有所教', '病有所医', '住有所居', '弱有所扶', '发展保障'], aspect), item, department
