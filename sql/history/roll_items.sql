-- The same by item.
INSERT INTO item_hour (day, hour, platform, shop, item_id, title, orders, units, gmv_minor)
SELECT
    event_date($1::timestamptz), $1::timestamptz, told.platform, told.shop, told.item_id, told.title, told.orders,
    told.units, told.gmv_minor
FROM item_sold($1::timestamptz, least(
    $1::timestamptz + interval '1 hour',
    (event_date($1::timestamptz) + 1)::timestamp AT TIME ZONE (SELECT timezone FROM setting)
), $2::text[], $3::text[]) AS told
