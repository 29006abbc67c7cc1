-- session_hour and minute_sum of one day, from its session_minute; $1 its first instant, $2 that of the next day.
INSERT INTO session_hour (
    day, hour, platform, room_id, session_id, air_us, blind_us, measured_us, viewer_us, peak_viewers, peak_at, views_total,
    likes_total, drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor, orders_other_currency
)
SELECT
    event_date(hour), hour, platform, room_id, session_id, air_us, blind_us, measured_us, viewer_us, peak / 64,
    hour + make_interval(mins => (63 - peak % 64)::int), views_total, likes_total, drops, created, orders, gmv_minor, units,
    refunds, refunds_minor, gifts, gifts_minor, other
FROM (
    SELECT
        date_trunc('hour', minute) AS hour, platform, room_id, session_id, sum(air_us) AS air_us, sum(blind_us) AS blind_us,
        sum(measured_us) AS measured_us, sum(viewer_us) AS viewer_us,
        max(peak_viewers * 64::bigint + 63 - extract(minute FROM minute)::int) AS peak, -- the highest, and its first minute
        max(views_total) AS views_total, max(likes_total) AS likes_total, sum(drops) AS drops, sum(created) AS created,
        sum(orders) AS orders, sum(gmv_minor) AS gmv_minor, sum(units) AS units, sum(refunds) AS refunds,
        sum(refunds_minor) AS refunds_minor, sum(gifts) AS gifts, sum(gifts_minor) AS gifts_minor,
        sum(orders_other_currency) AS other
    FROM session_minute
    WHERE minute >= $1 AND minute < $2
    GROUP BY 1, 2, 3, 4
) AS minutes
