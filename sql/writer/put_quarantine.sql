INSERT INTO quarantine (origin, place, received_at, feed, kind, reason, sample, payload)
SELECT $1, t.* FROM unnest($2::int[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[]) AS t
ON CONFLICT (origin, place) DO NOTHING
