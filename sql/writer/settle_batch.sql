-- What became of the rows, where not all of them were simply written.
UPDATE applied_batch SET written = $2, duplicates = $3, quarantined = $4, outcome = $5::text::jsonb WHERE batch_id = $1
