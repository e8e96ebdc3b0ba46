SELECT feed, source_file || ':', source_row FROM person_record ANTI JOIN person USING (person_id) ORDER BY ALL
