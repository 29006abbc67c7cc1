SELECT batch_id FROM unnest($1::uuid[]) AS ours (batch_id)
WHERE NOT EXISTS (SELECT FROM applied_batch WHERE applied_batch.batch_id = ours.batch_id)
