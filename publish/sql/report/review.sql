-- possible matches that wait for a clerk
SELECT count(*) AS pairs FROM review_queue WHERE decision IS NULL OR decision = 'unsure'
