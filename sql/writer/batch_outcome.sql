SELECT outcome::text FROM applied_batch WHERE batch_id = $1
