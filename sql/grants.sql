-- Who may do what; applied again at each migration, by livemon_owner, after the views. Taken away first, so that what
-- an older release granted and this one does not is gone.
REVOKE ALL ON ALL TABLES IN SCHEMA livemon FROM livemon_writer, livemon_reader, livemon_hall;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA livemon FROM livemon_writer, livemon_reader, livemon_hall;
REVOKE ALL ON ALL TABLES IN SCHEMA livemon FROM PUBLIC;
GRANT USAGE ON SCHEMA livemon TO livemon_writer, livemon_reader, livemon_hall;

-- The service: the changes it makes, and no others. It never alters, truncates or deletes what was observed.
GRANT SELECT ON ALL TABLES IN SCHEMA livemon TO livemon_writer;
GRANT INSERT ON
    tick_raw, room, roster_change, roster_change_room, schedule, feed, feed_room, room_unlisted, session, session_change,
    blind, sale, sale_item, applied_batch, quarantine,
    app, account_state
TO livemon_writer;
GRANT UPDATE ON
    room, roster_version, schedule, feed, feed_room, room_unlisted, session, blind, sale, applied_batch, quarantine,
    app, account_state
TO livemon_writer;
GRANT UPDATE (event_name, event_starts_at, event_ends_at) ON setting TO livemon_writer;
GRANT DELETE ON schedule, room_unlisted TO livemon_writer;
-- Rooms are also written with the ids that the spool remembers; the next own id must then be moved past them.
GRANT USAGE, SELECT, UPDATE ON SEQUENCE room_room_id_seq TO livemon_writer;
GRANT EXECUTE ON FUNCTION ensure_tick_day(date), ticks_ready_until() TO livemon_writer;

-- People and boards: what the contract names. Not the raw ticks, not what a person wrote to us unmasked.
GRANT SELECT ON
    room, schedule, session, session_change, blind, feed_room, room_unlisted, roster_change, sale, sale_item,
    applied_batch, setting,
    viewer_tick, room_now, session_summary, drop_log, feed_blind, room_coverage, sale_place, sale_unattributed,
    account
TO livemon_reader;
GRANT SELECT (quarantine_id, received_at, feed, kind, reason, sample, state) ON quarantine TO livemon_reader;

-- A hall: the same without the money of a room and without buyers. Masked samples may hold either, so none of them.
GRANT SELECT ON
    room, schedule, session, session_change, blind, feed_room, room_unlisted, applied_batch, setting,
    viewer_tick, drop_log, feed_blind, room_coverage
TO livemon_hall;
GRANT SELECT (
    room_id, platform, external_id, anchor, hall, city, category, tier, contact, state, state_zh, state_code, since,
    session_id, opened_at, last_tick_at, viewers, views_total, likes_total, kbps, expected, slot_starts_at, slot_ends_at
) ON room_now TO livemon_hall;
GRANT SELECT (
    session_id, room_id, platform, external_id, anchor, hall, opened_at, closed_at, close_reason, peak_viewers,
    average_viewers, watch_hours, airtime_s, drops, down_s, blind_s, measured_s, views_total
) ON session_summary TO livemon_hall;

-- Days begin where the event is, for whoever connects (Grafana, psql), if the database is ours to say so; on a server of
-- somebody else an administrator runs: ALTER DATABASE livemon SET timezone = 'Asia/Shanghai'
DO $$
BEGIN
    IF (SELECT pg_get_userbyid(datdba) = current_user FROM pg_database WHERE datname = current_database()) THEN
        EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), (SELECT timezone FROM setting));
    END IF;
END
$$;
