SELECT coalesce(max(seq), 0) FROM applied_batch WHERE spool_id = $1
