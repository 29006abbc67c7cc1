-- Batches that no spool asks for any more: older than $1, and by $1 older than the newest of their spool. A spool that has
-- stood still remembers what it sent last, and must find it. With `false` for $2 they are only counted.
WITH newest AS (SELECT spool_id, max(applied_at) AS at FROM livemon.applied_batch GROUP BY spool_id),
old AS (
    SELECT batch_id FROM livemon.applied_batch JOIN newest USING (spool_id)
    WHERE applied_at < least(newest.at, now()) - $1::interval
),
gone AS (DELETE FROM livemon.applied_batch WHERE $2 AND batch_id IN (SELECT batch_id FROM old))
SELECT count(*)::int FROM old
