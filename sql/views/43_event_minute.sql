-- All rooms of a platform by the minute, and those of each hall, city, category and tier of it.

-- Not granted to readers: the columns that both views below have, once.
CREATE OR REPLACE VIEW minute_told AS
SELECT
    summed.minute, summed.platform, summed.dimension, summed.value, summed.rooms_live,
    round(summed.viewer_us / 60000000.0, 2) AS viewers,
    round(summed.air_us / 1000000.0, 3) AS air_s,
    round(summed.blind_us / 1000000.0, 3) AS blind_s,
    summed.drops,
    summed.created AS created_orders,
    summed.orders,
    summed.gmv_minor, in_major(summed.gmv_minor, setting.event_currency) AS gmv,
    summed.refunds AS refund_orders,
    summed.refunds_minor, in_major(summed.refunds_minor, setting.event_currency) AS refunds,
    summed.gmv_minor - summed.refunds_minor AS net_minor,
    in_major(summed.gmv_minor - summed.refunds_minor, setting.event_currency) AS net,
    summed.gifts_minor,
    setting.event_currency AS currency
FROM minute_sum AS summed
CROSS JOIN setting;
COMMENT ON VIEW minute_told IS 'minute_sum in the words and units of people: what event_minute and event_minute_by show.';

CREATE OR REPLACE VIEW event_minute AS
SELECT
    minute, platform, rooms_live, viewers, air_s, blind_s, drops, created_orders, orders, gmv_minor, gmv,
    refund_orders, refunds_minor, refunds, net_minor, net, gifts_minor, currency
FROM minute_told
WHERE dimension = 'platform';

CREATE OR REPLACE VIEW event_minute_by AS
SELECT
    minute, platform, dimension, value, rooms_live, viewers, air_s, blind_s, drops, created_orders, orders, gmv_minor, gmv,
    refund_orders, refunds_minor, refunds, net_minor, net, gifts_minor, currency
FROM minute_told
WHERE dimension <> 'platform';

COMMENT ON VIEW event_minute IS
    'One row per minute and platform: all its rooms, and its sales also where no room is known. Limit minute. At most 15 s '
    'behind. Not cut by the event window. Sources: the feeds, session_change, blind, sale.';
COMMENT ON COLUMN event_minute.rooms_live IS 'Rooms on air at some instant of the minute.';
COMMENT ON COLUMN event_minute.viewers IS '在线: sum over rooms of viewers x seconds held in the minute / 60; unseen rooms count nothing.';
COMMENT ON COLUMN event_minute.air_s IS '直播时长: seconds on air, summed over rooms.';
COMMENT ON COLUMN event_minute.blind_s IS '看不见: seconds in which a room in session could not be seen, summed over rooms.';
COMMENT ON COLUMN event_minute.drops IS '断流: stops that began in this minute and were resumed or lost.';
COMMENT ON COLUMN event_minute.created_orders IS 'Orders created, paid or not; each counts once a day, when it was first told.';
COMMENT ON COLUMN event_minute.orders IS 'Orders paid in this minute, in the event''s currency; one that is paid in parts counts once a day, with its first.';
COMMENT ON COLUMN event_minute.gmv_minor IS 'GMV: orders paid, by pay time, before refunds, in the minor unit (分) of currency.';
COMMENT ON COLUMN event_minute.gmv IS 'gmv_minor in the major unit (元).';
COMMENT ON COLUMN event_minute.refund_orders IS 'Orders refunded, by the time of the refund; each counts once a day.';
COMMENT ON COLUMN event_minute.refunds_minor IS 'Refunds of this minute, by their own time, in the minor unit.';
COMMENT ON COLUMN event_minute.refunds IS 'refunds_minor in the major unit.';
COMMENT ON COLUMN event_minute.net_minor IS 'gmv_minor - refunds_minor.';
COMMENT ON COLUMN event_minute.net IS 'net_minor in the major unit.';
COMMENT ON COLUMN event_minute.gifts_minor IS 'Gifts (打赏) in the minor unit; never part of GMV.';
COMMENT ON VIEW event_minute_by IS
    'event_minute by hall (场馆), city, category and tier: one row per minute, platform, dimension and value. Never add rows '
    'of different dimensions: each holds all rooms once. Limit minute and dimension. Sales without a room count for the '
    'hall and the city on which all rows of their shop agree (sale_place).';
COMMENT ON COLUMN event_minute_by.dimension IS 'hall, city, category or tier.';
COMMENT ON COLUMN event_minute_by.value IS 'Its value as the roster has it, tier as text; empty: the roster does not say.';
