-- Told at the beginning and at the end, in any order: an end once known stays, and so does what people were told of it.
INSERT INTO alert (alert_id, fingerprint, starts_at, number, alertname, severity, labels, summary, ends_at, outcome)
SELECT alert_id, fingerprint, starts_at, number, alertname, severity, labels::jsonb, summary, ends_at, outcome
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::text[])
    AS told (alert_id, fingerprint, starts_at, number, alertname, severity, labels, summary, ends_at, outcome)
ON CONFLICT (alert_id) DO UPDATE SET ends_at = excluded.ends_at, outcome = excluded.outcome
WHERE alert.ends_at IS NULL AND excluded.ends_at IS NOT NULL
