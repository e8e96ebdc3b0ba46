-- key care by category: flowing children, others, visits past their date
SELECT
    k.category,
    count(*) FILTER (k.is_flowing) AS flowing,
    count(*) FILTER (NOT k.is_flowing) AS others,
    count(*) FILTER (k.next_visit_due < (SELECT max(as_of) FROM assessment)) AS overdue
FROM key_care k
GROUP BY k.category
ORDER BY flowing DESC, k.category
