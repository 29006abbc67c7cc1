-- Each shop and each item by the day of the event, straight from the sales of that day.
--
-- Orders are put together before they are counted: count(DISTINCT ...) over a whole day would sort it.
CREATE OR REPLACE VIEW shop_day AS
SELECT
    event_days.day, sold.platform, sold.shop,
    sold.created_orders::int AS created_orders,
    sold.orders::int AS orders,
    sold.gmv_minor, in_major(sold.gmv_minor, sold.currency) AS gmv,
    sold.refund_orders::int AS refund_orders,
    sold.refunds_minor, in_major(sold.refunds_minor, sold.currency) AS refunds,
    sold.gmv_minor - sold.refunds_minor AS net_minor,
    in_major(sold.gmv_minor - sold.refunds_minor, sold.currency) AS net,
    sold.units::int AS units,
    nullif(sold.buyers, 0)::int AS buyers,
    round(sold.gmv_minor::numeric / nullif(sold.orders, 0))::bigint AS aov_minor,
    sold.currency,
    NULL::bigint AS deposits_minor
FROM event_days
CROSS JOIN LATERAL (
    SELECT
        bought.platform, bought.shop, bought.currency,
        sum(bought.created_orders) AS created_orders,
        sum(bought.orders) AS orders,
        sum(bought.gmv_minor)::bigint AS gmv_minor,
        sum(bought.refund_orders) AS refund_orders,
        sum(bought.refunds_minor)::bigint AS refunds_minor,
        sum(bought.units) AS units,
        count(bought.buyer) AS buyers
    FROM (
        SELECT
            ordered.platform, ordered.shop, ordered.currency, ordered.buyer,
            count(*) FILTER (WHERE ordered.created) AS created_orders,
            count(*) FILTER (WHERE ordered.paid) AS orders,
            coalesce(sum(ordered.gmv_minor), 0) AS gmv_minor,
            count(*) FILTER (WHERE ordered.refunded) AS refund_orders,
            coalesce(sum(ordered.refunds_minor), 0) AS refunds_minor,
            coalesce(sum(ordered.units), 0) AS units
        FROM (
            SELECT
                sale.platform, sale.shop, setting.event_currency AS currency,
                max(encode(sale.buyer, 'hex') COLLATE "C") FILTER (WHERE sale.kind = 'paid') AS buyer,
                bool_or(sale.kind = 'created') AS created,
                bool_or(sale.kind = 'paid') AS paid,
                bool_or(sale.kind = 'refunded') AS refunded,
                sum(sale.amount_minor) FILTER (WHERE sale.kind = 'paid') AS gmv_minor,
                sum(abs(sale.amount_minor)) FILTER (WHERE sale.kind = 'refunded') AS refunds_minor,
                sum(sale.units) FILTER (WHERE sale.kind = 'paid') AS units
            FROM sale
            CROSS JOIN setting
            WHERE sale.at >= event_days.from_at AND sale.at < event_days.to_at
                AND sale.kind IN ('created', 'paid', 'refunded') AND sale.currency = setting.event_currency
            GROUP BY sale.platform, sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id), setting.event_currency
        ) AS ordered
        GROUP BY ordered.platform, ordered.shop, ordered.currency, ordered.buyer
    ) AS bought
    GROUP BY bought.platform, bought.shop, bought.currency
) AS sold;

COMMENT ON VIEW shop_day IS
    'One row per shop (店铺) and day of the event''s zone, inside the event window, in the event''s currency, with or without '
    'a room. Limit day. Source: sale.';
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
    event_days.day, sold.platform, sold.item_id, sold.title,
    sold.orders::int AS orders,
    sold.units::int AS units,
    sold.gmv_minor, in_major(sold.gmv_minor, sold.currency) AS gmv,
    sold.currency
FROM event_days
CROSS JOIN LATERAL (
    SELECT
        ordered.platform, ordered.item_id, ordered.currency,
        max(ordered.title) AS title,
        count(*) AS orders,
        sum(ordered.units) AS units,
        sum(ordered.gmv_minor)::bigint AS gmv_minor
    FROM (
        SELECT
            sale.platform, item.item_id, setting.event_currency AS currency,
            max(item.title) AS title,
            sum(item.units) AS units,
            sum(item.amount_minor) AS gmv_minor
        FROM sale
        CROSS JOIN setting
        JOIN sale_item AS item ON item.platform = sale.platform AND item.event_id = sale.event_id
        WHERE sale.at >= event_days.from_at AND sale.at < event_days.to_at
            AND sale.kind = 'paid' AND sale.currency = setting.event_currency
        GROUP BY sale.platform, item.item_id, sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id),
            setting.event_currency
    ) AS ordered
    GROUP BY ordered.platform, ordered.item_id, ordered.currency
) AS sold;

COMMENT ON VIEW item_day IS
    'One row per item (商品) and day of the event''s zone in which it was paid, inside the event window, in the event''s '
    'currency. Limit day. Sources: sale, sale_item.';
COMMENT ON COLUMN item_day.title IS 'Its title; where it was told differently, the last in the alphabet.';
COMMENT ON COLUMN item_day.orders IS 'Orders paid that hold it, distinct.';
COMMENT ON COLUMN item_day.units IS 'Pieces paid; NULL: not told.';
COMMENT ON COLUMN item_day.gmv_minor IS
    'Its part of the orders paid, by pay time, before refunds, in the minor unit (分); NULL: the platform prices no items.';
COMMENT ON COLUMN item_day.gmv IS 'gmv_minor in the major unit (元).';
