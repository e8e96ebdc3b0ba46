-- how places are written
SELECT code, name FROM place ORDER BY code
