-- One change of the roster: the rooms as they are from now on, the log of it with before and after,
-- a new version unless nothing changed.
-- $1 by_whom, $2 action, $3 source, $4 undoes, $5 added, $6 changed, $7 retired,
-- $8 [{"before": room or null, "after": room}, ...] as JSON text. A room keeps its id; a new one is given its own.
WITH move AS (
    SELECT before, after FROM jsonb_to_recordset($8::text::jsonb) AS m (before jsonb, after jsonb)
),
saved AS (
    INSERT INTO room AS r (platform, external_id, anchor, broadcaster, hall, city, category, tier, fans, shop,
        account, contact, notes, active)
    SELECT a.platform, a.external_id, a.anchor, a.broadcaster, a.hall, a.city, a.category, a.tier, a.fans, a.shop,
        a.account, a.contact, a.notes, a.active
    FROM move, jsonb_to_record(move.after) AS a (platform text, external_id text, anchor text, broadcaster text,
        hall text, city text, category text, tier smallint, fans bigint, shop text, account text, contact text,
        notes text, active boolean)
    ON CONFLICT (platform, external_id) DO UPDATE SET anchor = excluded.anchor, broadcaster = excluded.broadcaster,
        hall = excluded.hall, city = excluded.city, category = excluded.category, tier = excluded.tier,
        fans = excluded.fans, shop = excluded.shop, account = excluded.account, contact = excluded.contact,
        notes = excluded.notes, active = excluded.active
    RETURNING r.*
),
change AS (
    INSERT INTO roster_change (by_whom, action, source, undoes, added, changed, retired)
    VALUES ($1, $2, $3, $4, $5::int, $6::int, $7::int)
    RETURNING roster_change_id
),
logged AS (
    INSERT INTO roster_change_room (roster_change_id, room_id, before, after)
    SELECT change.roster_change_id, saved.room_id, move.before, to_jsonb(saved) - 'added_at'
    FROM change, saved
    JOIN move ON move.after ->> 'platform' = saved.platform AND move.after ->> 'external_id' = saved.external_id
),
bumped AS (
    UPDATE roster_version SET version = version + CASE WHEN $5::int + $6::int + $7::int > 0 THEN 1 ELSE 0 END RETURNING version
)
SELECT change.roster_change_id, bumped.version FROM change, bumped;
