-- Each shop and each item by the day of the event, summed from the hours that the roller keeps.
CREATE OR REPLACE VIEW shop_day AS
SELECT
    sold.day, sold.platform, sold.shop,
    sold.created_orders::int AS created_orders,
    sold.orders::int AS orders,
    sold.gmv_minor, in_major(sold.gmv_minor, setting.event_currency) AS gmv,
    sold.refund_orders::int AS refund_orders,
    sold.refunds_minor, in_major(sold.refunds_minor, setting.event_currency) AS refunds,
    sold.gmv_minor - sold.refunds_minor AS net_minor,
    in_major(sold.gmv_minor - sold.refunds_minor, setting.event_currency) AS net,
    sold.units::int AS units,
    nullif(sold.buyers, 0)::int AS buyers,
    round(sold.gmv_minor::numeric / nullif(sold.orders, 0))::bigint AS aov_minor,
    setting.event_currency AS currency,
    NULL::bigint AS deposits_minor
FROM (
    SELECT
        day, platform, shop,
        sum(created) AS created_orders,
        sum(orders) AS orders,
        sum(gmv_minor)::bigint AS gmv_minor,
        sum(refunds) AS refund_orders,
        sum(refunds_minor)::bigint AS refunds_minor,
        sum(units) AS units,
        sum(buyers) AS buyers
    FROM shop_hours
    WHERE currency = (SELECT event_currency FROM setting)
    GROUP BY day, platform, shop
) AS sold
CROSS JOIN setting
WHERE sold.created_orders > 0 OR sold.orders > 0 OR sold.gmv_minor <> 0 OR sold.refund_orders > 0 OR sold.refunds_minor <> 0;

COMMENT ON VIEW shop_day IS
    'One row per shop (店铺) and day of the event''s zone, inside the event window, in the event''s currency, with or without '
    'a room. Limit day. At most 15 s behind. Source: sale.';
COMMENT ON COLUMN shop_day.created_orders IS 'Orders created on this day, distinct, paid or not.';
COMMENT ON COLUMN shop_day.orders IS 'Orders paid on this day, distinct, by pay time.';
COMMENT ON COLUMN shop_day.gmv_minor IS 'GMV: orders paid, by pay time, before refunds, in the minor unit (分) of currency.';
COMMENT ON COLUMN shop_day.gmv IS 'gmv_minor in the major unit (元).';
COMMENT ON COLUMN shop_day.refund_orders IS 'Orders refunded on this day, distinct, of whatever day the order is.';
COMMENT ON COLUMN shop_day.refunds_minor IS 'Refunds of this day, by their own time, in the minor unit.';
COMMENT ON COLUMN shop_day.refunds IS 'refunds_minor in the major unit.';
COMMENT ON COLUMN shop_day.net_minor IS 'gmv_minor - refunds_minor.';
COMMENT ON COLUMN shop_day.net IS 'net_minor in the major unit.';
COMMENT ON COLUMN shop_day.units IS 'Pieces sold in the orders paid.';
COMMENT ON COLUMN shop_day.buyers IS 'People who paid, distinct within the shop and day, by keyed hash; NULL: the platform names none.';
COMMENT ON COLUMN shop_day.aov_minor IS '客单价 here: gmv_minor / orders, rounded; NULL without orders. By people it is gmv_minor / buyers.';
COMMENT ON COLUMN shop_day.deposits_minor IS 'Deposits (定金); NULL until a feed tells of them. Never part of GMV.';

CREATE OR REPLACE VIEW item_day AS
SELECT
    sold.day, sold.platform, sold.item_id, sold.title,
    sold.orders::int AS orders,
    sold.units::int AS units,
    sold.gmv_minor, in_major(sold.gmv_minor, setting.event_currency) AS gmv,
    setting.event_currency AS currency
FROM (
    SELECT
        day, platform, item_id,
        max(title) AS title,
        sum(orders) AS orders,
        sum(units) AS units,
        sum(gmv_minor)::bigint AS gmv_minor
    FROM item_hours
    GROUP BY day, platform, item_id
) AS sold
CROSS JOIN setting;

COMMENT ON VIEW item_day IS
    'One row per item (商品) and day of the event''s zone in which it was paid, inside the event window, in the event''s '
    'currency. Limit day. At most 15 s behind. Sources: sale, sale_item.';
COMMENT ON COLUMN item_day.title IS 'Its title; where it was told differently, the last in the alphabet.';
COMMENT ON COLUMN item_day.orders IS 'Orders paid that hold it, distinct.';
COMMENT ON COLUMN item_day.units IS 'Pieces paid; NULL: not told.';
COMMENT ON COLUMN item_day.gmv_minor IS
    'Its part of the orders paid, by pay time, before refunds, in the minor unit (分); NULL: the platform prices no items.';
COMMENT ON COLUMN item_day.gmv IS 'gmv_minor in the major unit (元).';
