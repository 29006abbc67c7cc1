-- The hour of the event's zone that begins at $1, of platform $2, out of its minutes. The last hour of a day ends with the
-- day. The highest peak and its first minute are found in one number: 64 x viewers + (63 - minute of the hour).
INSERT INTO session_hour (
    day, hour, platform, room_id, session_id, air_us, blind_us, measured_us, viewer_us, peak_viewers, peak_at, views_total,
    likes_total, drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor,
    orders_other_currency
)
SELECT
    event_date($1::timestamptz), $1::timestamptz, $2, room_id, session_id, air_us, blind_us, measured_us, viewer_us,
    peak / 64, $1::timestamptz + make_interval(mins => (63 - peak % 64)::int), views_total, likes_total, drops, created,
    orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor, orders_other_currency
FROM (
    SELECT
        room_id, session_id, sum(air_us) AS air_us, sum(blind_us) AS blind_us, sum(measured_us) AS measured_us,
        sum(viewer_us) AS viewer_us,
        max(peak_viewers * 64::bigint + 63 - (extract(epoch FROM minute - $1::timestamptz) / 60)::int) AS peak,
        max(views_total) AS views_total, max(likes_total) AS likes_total, sum(drops) AS drops, sum(created) AS created,
        sum(orders) AS orders, sum(gmv_minor) AS gmv_minor, sum(units) AS units, sum(refunds) AS refunds,
        sum(refunds_minor) AS refunds_minor, sum(gifts) AS gifts, sum(gifts_minor) AS gifts_minor,
        sum(orders_other_currency) AS orders_other_currency
    FROM session_minute
    WHERE platform = $2 AND minute >= $1::timestamptz AND minute < least(
        $1::timestamptz + interval '1 hour',
        (event_date($1::timestamptz) + 1)::timestamp AT TIME ZONE (SELECT timezone FROM setting)
    )
    GROUP BY room_id, session_id
) AS minutes
