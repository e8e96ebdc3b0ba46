-- flowing children with at least one key-care category, and those without one
SELECT count(DISTINCT person_id) AS children FROM key_care WHERE is_flowing
