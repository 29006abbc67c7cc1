-- Each room by the day of the event: people, time on air, drops, orders; and the rooms of a day by their GMV.
CREATE OR REPLACE VIEW room_day AS
SELECT
    summed.day, summed.room_id, room.platform, room.external_id, room.anchor, room.broadcaster, room.hall, room.city,
    room.category, room.tier,
    summed.sessions::int AS sessions,
    round(summed.air_us / 1000000, 3) AS air_s,
    round(summed.blind_us / 1000000, 3) AS blind_s,
    round(summed.measured_us / 1000000, 3) AS measured_s,
    round(summed.viewer_us / nullif(summed.measured_us, 0), 2) AS average_viewers,
    CASE WHEN summed.peak IS NOT NULL OR summed.measured_us > 0 THEN round(summed.viewer_us / 3600000000, 3) END
        AS watch_hours,
    (summed.peak / 33554432)::int AS peak_viewers,
    to_timestamp((33554431 - summed.peak % 33554432) * 60) AS peak_at,
    summed.drops::int AS drops,
    -- Here, not joined: a leaderboard's LIMIT comes first, and only its rooms are looked up.
    round(CASE WHEN summed.drops > 0 THEN coalesce((
        SELECT sum(extract(epoch FROM greatest(
            CASE WHEN stop.outcome = 'resumed' THEN stop.followed_at ELSE session.closed_at END, stop.stopped_at
        ) - stop.stopped_at))
        FROM event_edge
        JOIN session_stop AS stop ON stop.stopped_at >= event_edge.from_at AND stop.stopped_at < event_edge.to_at
        JOIN session ON session.session_id = stop.session_id
        WHERE stop.room_id = summed.room_id
            AND stop.stopped_at >= summed.day::timestamp AT TIME ZONE setting.timezone
            AND stop.stopped_at < (summed.day + 1)::timestamp AT TIME ZONE setting.timezone
            AND stop.outcome IN ('resumed', 'lost')
    ), 0) ELSE 0 END, 3) AS down_s,
    summed.created_orders::int AS created_orders,
    summed.orders::int AS orders,
    summed.gmv_minor, in_major(summed.gmv_minor, setting.event_currency) AS gmv,
    summed.refund_orders::int AS refund_orders,
    summed.refunds_minor, in_major(summed.refunds_minor, setting.event_currency) AS refunds,
    summed.gmv_minor - summed.refunds_minor AS net_minor,
    in_major(summed.gmv_minor - summed.refunds_minor, setting.event_currency) AS net,
    summed.gifts_minor,
    summed.units::int AS units,
    setting.event_currency AS currency,
    NULL::bigint AS deposits_minor
FROM (
    -- Sessions are put together first: count(DISTINCT ...) would sort. The highest peak and its first minute are found in
    -- one number: 2^25 x viewers + (2^25 - 1 - minute since 1970). What is asked of each row calls no function of ours: one
    -- that reads the setting would be run for each.
    SELECT
        day, room_id,
        count(session_id) AS sessions,
        sum(air_us) AS air_us,
        sum(blind_us) AS blind_us,
        sum(measured_us) AS measured_us,
        sum(viewer_us) AS viewer_us,
        max(peak) AS peak,
        sum(drops) AS drops,
        sum(created_orders) AS created_orders,
        sum(orders) AS orders,
        sum(gmv_minor)::bigint AS gmv_minor,
        sum(refund_orders) AS refund_orders,
        sum(refunds_minor)::bigint AS refunds_minor,
        sum(gifts_minor)::bigint AS gifts_minor,
        sum(units) AS units
    FROM (
        SELECT
            day, room_id, session_id,
            sum(air_us) AS air_us,
            sum(blind_us) AS blind_us,
            sum(measured_us) AS measured_us,
            sum(viewer_us) AS viewer_us,
            max(peak_viewers * 33554432::bigint + 33554431 - (extract(epoch FROM peak_at) / 60)::int) AS peak,
            sum(drops) AS drops,
            sum(created) AS created_orders,
            sum(orders) AS orders,
            sum(gmv_minor) AS gmv_minor,
            sum(refunds) AS refund_orders,
            sum(refunds_minor) AS refunds_minor,
            sum(gifts_minor) AS gifts_minor,
            sum(units) AS units
        FROM event_hours
        GROUP BY day, room_id, session_id
    ) AS of_session
    GROUP BY day, room_id
) AS summed
CROSS JOIN setting
JOIN room ON room.room_id = summed.room_id;

COMMENT ON VIEW room_day IS
    'One row per room (直播间) and day of the event''s zone in which it was in session or sold, inside the event window (cut '
    'at whole minutes). Limit day. At most 15 s behind. Sources: the feeds, session_change, blind, sale.';
COMMENT ON COLUMN room_day.day IS 'Day of the event''s zone; what crosses midnight counts in each day with its part.';
COMMENT ON COLUMN room_day.sessions IS '场次: sessions that were open at some instant of the day; one across midnight counts in both.';
COMMENT ON COLUMN room_day.air_s IS '直播时长 in seconds: inside sessions, less all stops.';
COMMENT ON COLUMN room_day.blind_s IS '看不见: seconds in session in which every feed that can tell this room''s state was blind.';
COMMENT ON COLUMN room_day.measured_s IS 'Seconds for which a number of viewers is known: how far to trust the average.';
COMMENT ON COLUMN room_day.average_viewers IS '平均在线, weighted by time: sum(viewers x seconds held) / measured_s.';
COMMENT ON COLUMN room_day.watch_hours IS '观看时长 in hours: sum(viewers x seconds held) / 3600; only measured time, so a lower bound.';
COMMENT ON COLUMN room_day.peak_viewers IS '人数峰值: the highest number of viewers observed on air.';
COMMENT ON COLUMN room_day.peak_at IS 'The first minute in which that was observed.';
COMMENT ON COLUMN room_day.drops IS '断流: stops that began on this day and were resumed or lost.';
COMMENT ON COLUMN room_day.down_s IS
    'Seconds of those drops inside their sessions. What a lost room stayed away after its session is drop_log.down_s.';
COMMENT ON COLUMN room_day.created_orders IS 'Orders created on this day, distinct, paid or not.';
COMMENT ON COLUMN room_day.orders IS
    'Orders paid, by pay time, in the event''s currency, of this room, in a session or not. Distinct: '
    'one that is paid in parts, in the room of the first.';
COMMENT ON COLUMN room_day.gmv_minor IS 'GMV: orders paid, by pay time, before refunds, in the minor unit (分) of currency.';
COMMENT ON COLUMN room_day.gmv IS 'gmv_minor in the major unit (元).';
COMMENT ON COLUMN room_day.refund_orders IS 'Orders refunded on this day, distinct, of whatever day the order is.';
COMMENT ON COLUMN room_day.refunds_minor IS 'Refunds of this day, by their own time, of whatever day the order is, in the minor unit.';
COMMENT ON COLUMN room_day.refunds IS 'refunds_minor in the major unit.';
COMMENT ON COLUMN room_day.net_minor IS 'gmv_minor - refunds_minor.';
COMMENT ON COLUMN room_day.net IS 'net_minor in the major unit.';
COMMENT ON COLUMN room_day.gifts_minor IS 'Gifts (打赏) in the minor unit; never part of GMV.';
COMMENT ON COLUMN room_day.units IS 'Pieces sold in the orders paid.';
COMMENT ON COLUMN room_day.deposits_minor IS 'Deposits (定金); NULL until a feed tells of them. Never part of GMV.';

CREATE OR REPLACE VIEW leaderboard_day AS
SELECT
    day,
    rank() OVER (PARTITION BY day ORDER BY gmv_minor DESC)::int AS rank,
    room_id, platform, external_id, anchor, broadcaster, hall, city, gmv_minor, gmv, orders, average_viewers, peak_viewers,
    watch_hours, currency
FROM room_day;
COMMENT ON VIEW leaderboard_day IS
    'Rooms of each day by GMV (排行榜), inside the event window. Limit day, then rank. Equal GMV, equal rank. Source: room_day.';
COMMENT ON COLUMN leaderboard_day.rank IS '1 is the highest GMV of the day over all platforms.';
