-- How accounts stand; what was told of one later than this stays.
INSERT INTO account_state (app, shop, anchor, platform, name, contact, at, granted, refused, access_until, lapses_at,
    refreshed_at, gone)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
    $8::boolean[], $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::boolean[])
ON CONFLICT (app, shop, anchor) DO UPDATE SET
    platform = excluded.platform, name = excluded.name, contact = excluded.contact, at = excluded.at,
    granted = excluded.granted, refused = excluded.refused, access_until = excluded.access_until,
    lapses_at = excluded.lapses_at, refreshed_at = excluded.refreshed_at, gone = excluded.gone
WHERE account_state.at < excluded.at
