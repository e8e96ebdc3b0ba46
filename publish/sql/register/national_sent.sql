-- national_sent: every child of every batch, those since the last register among them (publish/national.py: recall_sent)
INSERT INTO national_sent SELECT * FROM previous_national_sent ORDER BY batch_id, person_id;
