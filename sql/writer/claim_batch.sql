-- The batch's own row comes first: whoever finds it there already has nothing to do. Returns NULL then.
INSERT INTO applied_batch (batch_id, kind, spool_id, seq, sealed_at, rows, written, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7::text::jsonb)
ON CONFLICT (batch_id) DO NOTHING
RETURNING batch_id
