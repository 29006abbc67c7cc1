-- The figures of day $1 as they stood at $2, written once: a platform and currency that is there already stays.
INSERT INTO day_cut (day, platform, as_of, currency, orders, gmv_minor, created, refunds, refunds_minor, gifts, gifts_minor)
SELECT day, platform, as_of, currency, orders, gmv_minor, created_orders, refund_orders, refunds_minor, gifts, gifts_minor
FROM event_day($1, $2)
ON CONFLICT DO NOTHING
RETURNING platform
