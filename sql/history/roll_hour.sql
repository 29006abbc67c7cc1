-- The hour of the event's zone that begins at $1, of platform $2, out of its minutes. The last hour of a day ends with the
-- day. The highest peak and its first minute are found in one number: 64 x viewers + (63 - minute of the hour).
-- Rows that are there stay where they are, and only their figures change: no index hears of it, and little is logged. Those
-- whose minutes are gone went before (clear_hour).
MERGE INTO session_hour AS kept
USING (
    SELECT
        event_date($1::timestamptz) AS day, $1::timestamptz AS hour, $2::text AS platform, room_id, session_id, air_us,
        blind_us, measured_us, viewer_us, (peak / 64)::int AS peak_viewers,
        $1::timestamptz + make_interval(mins => (63 - peak % 64)::int) AS peak_at, views_total, likes_total, drops,
        created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor, orders_other_currency
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
) AS summed
ON kept.hour = $1 AND kept.platform = $2 AND kept.room_id = summed.room_id
    AND coalesce(kept.session_id, '00000000-0000-0000-0000-000000000000')
        = coalesce(summed.session_id, '00000000-0000-0000-0000-000000000000')
WHEN MATCHED AND (
    kept.air_us, kept.blind_us, kept.measured_us, kept.viewer_us, kept.peak_viewers, kept.peak_at, kept.views_total,
    kept.likes_total, kept.drops, kept.created, kept.orders, kept.gmv_minor, kept.units, kept.refunds,
    kept.refunds_minor, kept.gifts, kept.gifts_minor, kept.orders_other_currency
) IS DISTINCT FROM (
    summed.air_us, summed.blind_us, summed.measured_us, summed.viewer_us, summed.peak_viewers, summed.peak_at,
    summed.views_total, summed.likes_total, summed.drops, summed.created, summed.orders, summed.gmv_minor,
    summed.units, summed.refunds, summed.refunds_minor, summed.gifts, summed.gifts_minor,
    summed.orders_other_currency
) THEN UPDATE SET
    air_us = summed.air_us, blind_us = summed.blind_us, measured_us = summed.measured_us,
    viewer_us = summed.viewer_us, peak_viewers = summed.peak_viewers, peak_at = summed.peak_at,
    views_total = summed.views_total, likes_total = summed.likes_total, drops = summed.drops,
    created = summed.created, orders = summed.orders, gmv_minor = summed.gmv_minor, units = summed.units,
    refunds = summed.refunds, refunds_minor = summed.refunds_minor, gifts = summed.gifts,
    gifts_minor = summed.gifts_minor, orders_other_currency = summed.orders_other_currency
WHEN NOT MATCHED THEN INSERT (
    day, hour, platform, room_id, session_id, air_us, blind_us, measured_us, viewer_us, peak_viewers, peak_at,
    views_total, likes_total, drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor,
    orders_other_currency
) VALUES (
    summed.day, summed.hour, summed.platform, summed.room_id, summed.session_id, summed.air_us, summed.blind_us,
    summed.measured_us, summed.viewer_us, summed.peak_viewers, summed.peak_at, summed.views_total,
    summed.likes_total, summed.drops, summed.created, summed.orders, summed.gmv_minor, summed.units, summed.refunds,
    summed.refunds_minor, summed.gifts, summed.gifts_minor, summed.orders_other_currency
)
