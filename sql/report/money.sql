-- What each day from $1 to $2 came to, as known at $3: by platform and currency.
SELECT
    days.day::date AS day,
    known.platform,
    known.currency::text AS currency,
    known.orders::bigint AS orders,
    known.gmv_minor::bigint AS gmv_minor,
    known.created_orders::bigint AS created_orders,
    known.refund_orders::bigint AS refund_orders,
    known.refunds_minor::bigint AS refunds_minor,
    known.gifts_minor::bigint AS gifts_minor
FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') AS days (day)
CROSS JOIN LATERAL event_day(days.day::date, $3::timestamptz) AS known
ORDER BY 1, 2, 3
