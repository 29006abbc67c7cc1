-- shop_hour and item_hour of one day; $1 its first instant, $2 that of the next day. Here an order has one row of a kind.
WITH sold AS (
    SELECT
        sale.*, date_trunc('hour', at) AS hour,
        CASE WHEN kind = 'paid' THEN row_number() OVER (PARTITION BY platform, shop, currency, buyer, kind ORDER BY at, event_id) END
            AS visit
    FROM sale
    WHERE at >= $1 AND at < $2 AND kind <> 'cancelled'
),
items AS (
    INSERT INTO item_hour (day, hour, platform, shop, item_id, title, orders, units, gmv_minor)
    SELECT
        event_date(hour), hour, sold.platform, shop, item_id, max(title), count(*), sum(item.units), sum(item.amount_minor)
    FROM sold
    JOIN sale_item AS item USING (platform, event_id)
    WHERE kind = 'paid' AND currency = 'CNY'
    GROUP BY hour, sold.platform, shop, item_id
)
INSERT INTO shop_hour (
    day, hour, platform, shop, currency, created, orders, gmv_minor, units, buyers, refunds, refunds_minor, gifts, gifts_minor
)
SELECT
    event_date(hour), hour, platform, shop, currency, count(*) FILTER (WHERE kind = 'created'),
    count(*) FILTER (WHERE kind = 'paid'), coalesce(sum(amount_minor) FILTER (WHERE kind = 'paid'), 0),
    coalesce(sum(units) FILTER (WHERE kind = 'paid'), 0), count(*) FILTER (WHERE visit = 1),
    count(*) FILTER (WHERE kind = 'refunded'), coalesce(-sum(amount_minor) FILTER (WHERE kind = 'refunded'), 0),
    count(*) FILTER (WHERE kind = 'gift'), coalesce(sum(amount_minor) FILTER (WHERE kind = 'gift'), 0)
FROM sold
GROUP BY hour, platform, shop, currency
