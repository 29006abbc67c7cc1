-- The feeds as configured and as they are seen now; those no longer configured stay, marked so.
WITH told AS (
    SELECT t.feed, kind, platform, hall, string_to_array(signals, ',') AS signals, state, detail
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        AS t (feed, kind, platform, hall, signals, state, detail)
),
gone AS (
    UPDATE feed SET configured = false, updated_at = now()
    WHERE configured AND NOT EXISTS (SELECT FROM told WHERE told.feed = feed.feed)
)
INSERT INTO feed (feed, kind, platform, hall, signals, state, detail)
SELECT feed, kind, platform, hall, signals, state, detail FROM told
ON CONFLICT (feed) DO UPDATE SET
    kind = excluded.kind, platform = excluded.platform, hall = excluded.hall, signals = excluded.signals,
    state = excluded.state, detail = excluded.detail, configured = true, updated_at = now()
