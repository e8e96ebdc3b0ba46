-- export_log: every file ever handed out, those since the last register among them (publish/handing.py: recall_log)
INSERT INTO export_log SELECT * FROM previous_export_log ORDER BY exported_at, kind, file, sha256;
