-- An hour of session_minute, from the same rules as the ticks and in one pass; $1: the hour's first second.
-- Ticks stand 5 s apart, so each number holds until the next one, cut where a blind span or the minute ends: what it
-- holds on into the next minute is the `carried` row. That it equals sql/history's own roll is checked on a sample.
INSERT INTO {day} (
    minute, platform, room_id, session_id, air_us, blind_us, measured_us, viewer_us, peak_viewers, views_total, likes_total,
    drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor, orders_other_currency
)
WITH on_air AS MATERIALIZED (
    SELECT session.*, opened_s + 5 * closed_k AS closed_s, coalesce(dark.from_s, 0) AS dark_s, coalesce(dark.to_s, 0) AS seen_s
    FROM bench.session
    LEFT JOIN bench.dark ON dark.feed = session.feed AND dark.from_s < $1::bigint + 3600 AND dark.to_s > $1::bigint - 5
    WHERE session.opened_s < $1::bigint + 3600 AND session.opened_s > $1::bigint - 36000 AND session.ends_us > $1::bigint * 1000000
),
held AS MATERIALIZED (
    SELECT
        n, minute_s, sum(held_us) AS measured_us, sum(held_us::bigint * viewers) AS viewer_us,
        max(viewers) FILTER (WHERE NOT carried) AS peak_viewers,
        max(base * 2 + base::bigint * k / 20) FILTER (WHERE NOT carried) AS views_total,
        max(base * 5 + base::bigint * k / 7) FILTER (WHERE NOT carried) AS likes_total
    FROM (
        SELECT
            n, base, k, at_s / 60 * 60 AS minute_s, false AS carried, bench.viewers(base, k, room_id) AS viewers,
            CASE WHEN at_s % 60 = 55 OR at_s + 5 = dark_s THEN 5000000 - offset_us ELSE 5000000 END AS held_us
        FROM generate_series($1::bigint, $1::bigint + 3595, 5) AS at_s
        CROSS JOIN LATERAL (
            SELECT n, base, room_id, offset_us, dark_s, end_k, stop_k, back_k, ((at_s - opened_s) / 5)::int AS k FROM on_air
            WHERE opened_s <= at_s AND at_s < closed_s AND at_s < to_s AND (at_s < dark_s OR at_s >= seen_s)
            OFFSET 0
        ) AS own
        WHERE k < end_k AND (k < stop_k OR k >= back_k)
        UNION ALL
        SELECT n, base, k, at_s + 5, true, bench.viewers(base, k, room_id), offset_us
        FROM generate_series($1::bigint - 5, $1::bigint + 3535, 60) AS at_s
        CROSS JOIN LATERAL (
            SELECT n, base, room_id, offset_us, dark_s, end_k, stop_k, back_k, ((at_s - opened_s) / 5)::int AS k FROM on_air
            WHERE opened_s <= at_s AND at_s < closed_s AND at_s + 5 < to_s AND (at_s < dark_s OR at_s >= seen_s)
                AND at_s + 5 <> dark_s AND offset_us > 0
            OFFSET 0
        ) AS before
        WHERE k < end_k AND (k < stop_k OR k >= back_k)
    ) AS tick
    GROUP BY n, minute_s
),
sold AS MATERIALIZED (
    SELECT
        extract(epoch FROM date_trunc('minute', at))::bigint AS minute_s, room_id, session_id, min(platform) AS platform,
        count(*) FILTER (WHERE kind = 'created' AND currency = 'CNY') AS created,
        count(*) FILTER (WHERE kind = 'paid' AND currency = 'CNY') AS orders,
        coalesce(sum(amount_minor) FILTER (WHERE kind = 'paid' AND currency = 'CNY'), 0) AS gmv_minor,
        coalesce(sum(units) FILTER (WHERE kind = 'paid' AND currency = 'CNY'), 0) AS units,
        count(*) FILTER (WHERE kind = 'refunded' AND currency = 'CNY') AS refunds,
        coalesce(sum(-amount_minor) FILTER (WHERE kind = 'refunded' AND currency = 'CNY'), 0) AS refunds_minor,
        count(*) FILTER (WHERE kind = 'gift' AND currency = 'CNY') AS gifts,
        coalesce(sum(amount_minor) FILTER (WHERE kind = 'gift' AND currency = 'CNY'), 0) AS gifts_minor,
        count(*) FILTER (WHERE kind = 'paid' AND currency <> 'CNY') AS other
    FROM sale
    WHERE at >= to_timestamp($1::bigint) AND at < to_timestamp($1::bigint + 3600) AND room_id IS NOT NULL
    GROUP BY 1, 2, 3
),
lived AS (
    SELECT
        minute_s, on_air.*,
        least(ends_us, (minute_s + 60) * 1000000) - greatest(opened_us, minute_s * 1000000) AS span_us,
        greatest(0, least(opened_us + back_k * 5000000::bigint, ends_us, (minute_s + 60) * 1000000)
            - greatest(opened_us + stop_k * 5000000::bigint, minute_s * 1000000)) AS first_stop_us,
        greatest(0, least(ends_us, (minute_s + 60) * 1000000)
            - greatest(opened_us + end_k * 5000000::bigint, minute_s * 1000000)) AS last_stop_us,
        greatest(0, least(ends_us, seen_s * 1000000, (minute_s + 60) * 1000000)
            - greatest(opened_us, dark_s * 1000000, minute_s * 1000000)) AS dark_us
    FROM generate_series($1::bigint, $1::bigint + 3540, 60) AS minute_s
    JOIN on_air ON on_air.opened_us < (minute_s + 60) * 1000000 AND on_air.ends_us > minute_s * 1000000
    WHERE minute_s < to_s
)
SELECT
    to_timestamp(coalesce(lived.minute_s, sold.minute_s)), coalesce(lived.platform, sold.platform),
    coalesce(lived.room_id, sold.room_id), coalesce(lived.session_id, sold.session_id),
    coalesce(span_us - first_stop_us - last_stop_us, 0), coalesce(dark_us, 0), coalesce(measured_us, 0), coalesce(viewer_us, 0),
    peak_viewers, views_total, likes_total,
    (coalesce(stop_k < end_k AND (opened_us + stop_k * 5000000::bigint) / 60000000 = lived.minute_s / 60
        AND (opened_us + back_k * 5000000::bigint) < to_s * 1000000, false)::int
    + coalesce(reason = 'lost' AND closed AND (opened_us + end_k * 5000000::bigint) / 60000000 = lived.minute_s / 60, false)::int),
    coalesce(created, 0), coalesce(orders, 0), coalesce(gmv_minor, 0), coalesce(units, 0), coalesce(refunds, 0),
    coalesce(refunds_minor, 0), coalesce(gifts, 0), coalesce(gifts_minor, 0), coalesce(other, 0)
FROM lived
LEFT JOIN held ON held.n = lived.n AND held.minute_s = lived.minute_s
FULL JOIN sold ON sold.session_id = lived.session_id AND sold.minute_s = lived.minute_s
ORDER BY 1
