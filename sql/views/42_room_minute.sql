-- Each room by the minute: people, time on air, blind time, drops, orders.
CREATE OR REPLACE VIEW room_minute AS
SELECT
    summed.minute, summed.room_id, summed.session_id, summed.platform,
    round(summed.air_us / 1000000.0, 3) AS air_s,
    round(summed.blind_us / 1000000.0, 3) AS blind_s,
    round(summed.measured_us / 1000000.0, 3) AS measured_s,
    round(summed.viewer_us::numeric / nullif(summed.measured_us, 0), 2) AS average_viewers,
    summed.peak_viewers, summed.views_total, summed.likes_total,
    summed.drops::int AS drops,
    summed.created AS created_orders,
    summed.orders,
    summed.gmv_minor, in_major(summed.gmv_minor, setting.event_currency) AS gmv,
    summed.units,
    summed.refunds AS refund_orders,
    summed.refunds_minor, in_major(summed.refunds_minor, setting.event_currency) AS refunds,
    summed.gmv_minor - summed.refunds_minor AS net_minor,
    in_major(summed.gmv_minor - summed.refunds_minor, setting.event_currency) AS net,
    summed.gifts_minor,
    setting.event_currency AS currency
FROM session_minute AS summed
CROSS JOIN setting;

COMMENT ON VIEW room_minute IS
    'One row per minute, room (直播间) and session (场次) in which something was: all of one minute, cut at its edges, so that '
    'sums over minutes are those of the session. Limit minute, and room_id or session_id. At most 15 s behind. Sources: '
    'the feeds, session_change, blind, sale.';
COMMENT ON COLUMN room_minute.minute IS 'Beginning of the minute.';
COMMENT ON COLUMN room_minute.session_id IS 'NULL: sold in this minute while no session was open.';
COMMENT ON COLUMN room_minute.air_s IS '直播时长: seconds of the minute inside the session and not stopped.';
COMMENT ON COLUMN room_minute.blind_s IS '看不见: seconds of the minute in which every feed that can tell this room''s state was blind.';
COMMENT ON COLUMN room_minute.measured_s IS
    'Seconds for which a number of viewers is known: it holds until the next, at most 60 s, never into a stop or blind span.';
COMMENT ON COLUMN room_minute.average_viewers IS '平均在线: sum(viewers x seconds held) / measured_s; NULL: no number known.';
COMMENT ON COLUMN room_minute.peak_viewers IS '人数峰值: the highest number observed in the minute; NULL: none was.';
COMMENT ON COLUMN room_minute.views_total IS '场观: the platform''s running total of visits, its highest in the minute.';
COMMENT ON COLUMN room_minute.likes_total IS 'The platform''s running total of likes, its highest in the minute.';
COMMENT ON COLUMN room_minute.drops IS '断流: stops that began in this minute and were resumed or lost.';
COMMENT ON COLUMN room_minute.created_orders IS 'Orders created, paid or not; each counts once a day, when it was first told.';
COMMENT ON COLUMN room_minute.orders IS 'Orders paid in this minute, in the event''s currency; one that is paid in parts counts once a day, with its first.';
COMMENT ON COLUMN room_minute.gmv_minor IS 'GMV: orders paid, by pay time, before refunds, in the minor unit (分) of currency.';
COMMENT ON COLUMN room_minute.gmv IS 'gmv_minor in the major unit (元).';
COMMENT ON COLUMN room_minute.units IS 'Pieces sold in these orders.';
COMMENT ON COLUMN room_minute.refund_orders IS 'Orders refunded, by the time of the refund; each counts once a day.';
COMMENT ON COLUMN room_minute.refunds_minor IS 'Refunds of this minute, by their own time, in the minor unit.';
COMMENT ON COLUMN room_minute.refunds IS 'refunds_minor in the major unit.';
COMMENT ON COLUMN room_minute.net_minor IS 'gmv_minor - refunds_minor.';
COMMENT ON COLUMN room_minute.net IS 'net_minor in the major unit.';
COMMENT ON COLUMN room_minute.gifts_minor IS 'Gifts (打赏) in the minor unit; never part of GMV.';
