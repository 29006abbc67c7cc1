-- What was sold, by the hour: shops and items of a day are summed from these, no longer from the day's sales.
-- An order counts once a day, with its first row of a kind: so hours add up to days.
CREATE TABLE shop_hour (
    day date NOT NULL,
    hour timestamptz NOT NULL,
    platform text NOT NULL,
    shop text NOT NULL,
    currency char(3) NOT NULL,
    created int NOT NULL,
    orders int NOT NULL,
    gmv_minor bigint NOT NULL,
    units bigint NOT NULL,
    buyers int NOT NULL, -- who had not paid here before on this day, inside the event window
    refunds int NOT NULL,
    refunds_minor bigint NOT NULL,
    gifts int NOT NULL,
    gifts_minor bigint NOT NULL
);
CREATE INDEX shop_hour_hour ON shop_hour (hour, platform);
CREATE INDEX shop_hour_day ON shop_hour (day, platform, shop);

-- Items of orders paid, in the event's currency. NULL: no order told pieces, or prices.
CREATE TABLE item_hour (
    day date NOT NULL,
    hour timestamptz NOT NULL,
    platform text NOT NULL,
    shop text NOT NULL,
    item_id text NOT NULL,
    title text NOT NULL,
    orders int NOT NULL,
    units bigint,
    gmv_minor bigint
);
CREATE INDEX item_hour_hour ON item_hour (hour, platform);
CREATE INDEX item_hour_day ON item_hour (day, platform, item_id);

-- Whether there is another row of the same kind and order, or of the same buyer in the shop: of most there is none, and what
-- sums them then looks for no earlier one.
ALTER TABLE sale ADD COLUMN order_again boolean NOT NULL DEFAULT false, ADD COLUMN buyer_again boolean NOT NULL DEFAULT false;
UPDATE sale SET order_again = told.orders > 1, buyer_again = told.visits > 1
FROM (
    SELECT
        platform, event_id,
        CASE WHEN order_id <> '' AND kind IN ('paid', 'created', 'refunded')
            THEN count(*) OVER (PARTITION BY platform, shop, kind, order_id) ELSE 1 END AS orders,
        CASE WHEN kind = 'paid' AND buyer IS NOT NULL
            THEN count(*) OVER (PARTITION BY platform, shop, kind, buyer) ELSE 1 END AS visits
    FROM sale
) AS told
WHERE sale.platform = told.platform AND sale.event_id = told.event_id AND (told.orders > 1 OR told.visits > 1);

-- Where they are looked for: orders (paid and refunded: 0007), and buyers.
CREATE INDEX sale_created ON sale (order_id, shop) WHERE kind = 'created' AND order_id <> '';
CREATE INDEX sale_buyer ON sale (buyer, shop) WHERE kind = 'paid' AND buyer IS NOT NULL;

-- The slot that is on or comes next, of each room, by whoever looks at all rooms: past slots are passed by.
CREATE INDEX schedule_room_ends ON schedule (room_id, ends_at);

-- Hours are summed again every few seconds: their rows stay in their pages.
ALTER TABLE session_hour SET (fillfactor = 50);

-- What was sold before this release, in the meaning of sql/views/08_sale_counted.sql and 45_sold_hours.sql.
INSERT INTO shop_hour (
    day, hour, platform, shop, currency, created, orders, gmv_minor, units, buyers, refunds, refunds_minor, gifts, gifts_minor
)
SELECT
    day, hour, platform, shop, currency,
    count(*) FILTER (WHERE kind = 'created' AND first_of_order),
    count(*) FILTER (WHERE kind = 'paid' AND first_of_order),
    coalesce(sum(amount_minor) FILTER (WHERE kind = 'paid'), 0),
    coalesce(sum(units) FILTER (WHERE kind = 'paid'), 0),
    count(*) FILTER (WHERE kind = 'paid' AND buyer IS NOT NULL AND first_of_buyer),
    count(*) FILTER (WHERE kind = 'refunded' AND first_of_order),
    coalesce(sum(abs(amount_minor)) FILTER (WHERE kind = 'refunded'), 0),
    count(*) FILTER (WHERE kind = 'gift'),
    coalesce(sum(amount_minor) FILTER (WHERE kind = 'gift'), 0)
FROM (
    SELECT
        told.*,
        row_number() OVER (
            PARTITION BY platform, shop, kind, coalesce(nullif(order_id, ''), event_id), currency, day, counts ORDER BY at, event_id
        ) = 1 AS first_of_order,
        row_number() OVER (PARTITION BY platform, shop, kind, buyer, currency, day, counts ORDER BY at, event_id) = 1
            AS first_of_buyer
    FROM (
        SELECT
            sale.*, (sale.at AT TIME ZONE setting.timezone)::date AS day,
            date_bin('1 hour', sale.at, date_trunc('day', sale.at, setting.timezone)) AS hour,
            sale.at >= coalesce(setting.event_starts_at, '-infinity') AS counts
        FROM sale CROSS JOIN setting
        WHERE sale.kind IN ('created', 'paid', 'refunded', 'gift')
    ) AS told
) AS sold
GROUP BY day, hour, platform, shop, currency;

INSERT INTO item_hour (day, hour, platform, shop, item_id, title, orders, units, gmv_minor)
SELECT
    day, hour, platform, shop, item_id, max(title), count(*) FILTER (WHERE first_of_order), sum(units), sum(amount_minor)
FROM (
    SELECT
        sale.platform, sale.shop, item.item_id, item.title, item.units, item.amount_minor, place.day,
        date_bin('1 hour', sale.at, date_trunc('day', sale.at, setting.timezone)) AS hour,
        row_number() OVER (
            PARTITION BY sale.platform, sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id), item.item_id, place.day,
                sale.at >= coalesce(setting.event_starts_at, '-infinity')
            ORDER BY sale.at, sale.event_id
        ) = 1 AS first_of_order
    FROM sale
    CROSS JOIN setting
    CROSS JOIN LATERAL (SELECT (sale.at AT TIME ZONE setting.timezone)::date AS day) AS place
    JOIN sale_item AS item ON item.platform = sale.platform AND item.event_id = sale.event_id
    WHERE sale.kind = 'paid' AND sale.currency = setting.event_currency
) AS sold
GROUP BY day, hour, platform, shop, item_id;

-- Orders of several rows counted in each of their minutes until now: those minutes are summed anew.
INSERT INTO minute_touched (minute, platform)
SELECT DISTINCT date_bin('1 minute', at, timestamptz '2000-01-01 00:00:00+00'), side.platform
FROM (
    SELECT
        sale.at, sale.platform, room.platform AS room_platform,
        count(*) OVER (PARTITION BY sale.platform, sale.shop, sale.kind, sale.order_id) AS parts
    FROM sale
    LEFT JOIN room ON room.room_id = sale.room_id
    WHERE sale.order_id <> '' AND sale.kind IN ('created', 'paid', 'refunded')
) AS told
CROSS JOIN LATERAL (VALUES (told.platform), (told.room_platform)) AS side (platform)
WHERE told.parts > 1 AND side.platform IS NOT NULL;
