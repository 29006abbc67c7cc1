INSERT INTO alert_action (at, alert, action, by_whom, reason, until)
SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
ON CONFLICT ON CONSTRAINT alert_action_key DO NOTHING
