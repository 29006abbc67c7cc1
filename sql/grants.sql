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
    app, account_state, alert, alert_action,
    minute_touched, session_minute, session_hour, minute_sum, shop_hour, item_hour, day_cut, platform_total
TO livemon_writer;
GRANT UPDATE ON
    room, roster_version, schedule, feed, feed_room, room_unlisted, session, blind, sale, applied_batch, quarantine,
    app, account_state, alert,
    roll_state, session_hour
TO livemon_writer;
GRANT UPDATE (event_name, event_starts_at, event_ends_at) ON setting TO livemon_writer;
GRANT DELETE ON schedule, room_unlisted TO livemon_writer;
-- What history is summed to is taken away and computed anew; a day's cut is written once and stays.
GRANT DELETE ON minute_touched, session_minute, session_hour, minute_sum, shop_hour, item_hour TO livemon_writer;
-- Rooms are also written with the ids that the spool remembers; the next own id must then be moved past them.
GRANT USAGE, SELECT, UPDATE ON SEQUENCE room_room_id_seq TO livemon_writer;
GRANT EXECUTE ON FUNCTION ensure_tick_day(date), ensure_minute_day(date), ticks_ready_until() TO livemon_writer;

-- People and boards: what the contract names. Not the raw ticks, not what a person wrote to us unmasked.
GRANT SELECT ON
    room, schedule, session, session_change, blind, feed_room, room_unlisted, roster_change, sale, sale_item,
    applied_batch, setting, day_pruned, total_pruned,
    viewer_tick, room_now, session_summary, drop_log, feed_blind, room_blind, room_coverage, sale_place, sale_unattributed,
    account, session_exact, room_minute, event_minute, event_minute_by, room_day, leaderboard_day, shop_day, item_day,
    event_pace, expected_now, day_cut, platform_total, alert, alert_action,
    sale_counted, shop_hours, item_hours -- functions read these with the rights of whoever asks
TO livemon_reader;
GRANT SELECT (quarantine_id, received_at, feed, kind, reason, sample, state) ON quarantine TO livemon_reader;

-- A hall: the same without the money of a room and without buyers. Masked samples may hold either, so none of them.
GRANT SELECT ON
    room, schedule, session, session_change, blind, feed_room, room_unlisted, applied_batch, setting, day_pruned, total_pruned,
    viewer_tick, drop_log, feed_blind, room_blind, room_coverage, expected_now
TO livemon_hall;
-- Labels are whatever a rule writes on an alert: not shown to those who may not see everything.
GRANT SELECT (fingerprint, alertname, severity, starts_at, ends_at, summary) ON alert TO livemon_hall;
-- What was done about an alert, but not by whom, nor what they wrote: both name people.
GRANT SELECT (at, alert, action, until) ON alert_action TO livemon_hall;
GRANT SELECT (
    room_id, platform, external_id, anchor, hall, city, category, tier, contact, state, state_zh, state_code, since,
    session_id, opened_at, last_tick_at, viewers, views_total, likes_total, kbps, expected, slot_starts_at, slot_ends_at
) ON room_now TO livemon_hall;
GRANT SELECT (
    session_id, room_id, platform, external_id, anchor, hall, opened_at, closed_at, close_reason, peak_viewers,
    average_viewers, watch_hours, airtime_s, drops, down_s, blind_s, measured_s, views_total
) ON session_summary TO livemon_hall;
GRANT SELECT (
    minute, room_id, session_id, platform, air_s, blind_s, measured_s, average_viewers, peak_viewers, views_total,
    likes_total, drops
) ON room_minute TO livemon_hall;
GRANT SELECT (
    day, room_id, platform, external_id, anchor, broadcaster, hall, city, category, tier, sessions, air_s, blind_s,
    measured_s, average_viewers, watch_hours, peak_viewers, peak_at, drops, down_s
) ON room_day TO livemon_hall;
-- Of sums, too: a minute, a hall or a platform may hold one room.
GRANT SELECT (minute, platform, rooms_live, viewers, air_s, blind_s, drops) ON event_minute TO livemon_hall;
GRANT SELECT (
    minute, platform, dimension, value, rooms_live, viewers, air_s, blind_s, drops
) ON event_minute_by TO livemon_hall;

-- Days begin where the event is, for whoever connects (Grafana, psql), if the database is ours to say so; on a server of
-- somebody else an administrator runs: ALTER DATABASE livemon SET timezone = 'Asia/Shanghai'
DO $$
BEGIN
    IF (SELECT pg_get_userbyid(datdba) = current_user FROM pg_database WHERE datname = current_database()) THEN
        EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), (SELECT timezone FROM setting));
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); -- with them one can fill the disk
    END IF;
END
$$;
