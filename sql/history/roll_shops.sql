-- The hour of the event's zone that begins at $1, of shops $3 (of platforms $2, one each), out of their sales.
INSERT INTO shop_hour (
    day, hour, platform, shop, currency, created, orders, gmv_minor, units, buyers, refunds, refunds_minor, gifts, gifts_minor
)
SELECT
    event_date($1::timestamptz), $1::timestamptz, told.platform, told.shop, told.currency, told.created, told.orders,
    told.gmv_minor, told.units, told.buyers, told.refunds, told.refunds_minor, told.gifts, told.gifts_minor
FROM shop_sold($1::timestamptz, least(
    $1::timestamptz + interval '1 hour',
    (event_date($1::timestamptz) + 1)::timestamp AT TIME ZONE (SELECT timezone FROM setting)
), $2::text[], $3::text[]) AS told
