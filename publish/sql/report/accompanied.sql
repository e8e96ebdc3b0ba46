-- flowing children by whom they live with
SELECT accompanied, count(*) AS children FROM assessment WHERE outcome = 'flowing' GROUP BY accompanied ORDER BY children DESC, accompanied
