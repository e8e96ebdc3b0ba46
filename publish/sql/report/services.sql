-- entitlements of flowing children by item and district of residence, as far as the feeds can show them
SELECT s.aspect, s.item, s.department, a.residence_district AS district, s.status, count(*) AS children
FROM service_gap s JOIN assessment a USING (person_id)
GROUP BY s.aspect, s.item, s.department, a.residence_district, s.status
ORDER BY list_position(['幼有所育', '学有所教', '病有所医', '住有所居', '弱有所扶', '发展保障'], s.aspect), s.item, s.department, district, s.status
