-- The last batch that this spool sent: a spool that does not know it is an older copy of itself.
SELECT seq, batch_id FROM applied_batch WHERE spool_id = $1 ORDER BY seq DESC LIMIT 1
