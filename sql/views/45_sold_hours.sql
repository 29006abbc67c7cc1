-- What shops sold in a span of time; the roller sums whole hours with it, and hours that the event window cuts are asked so.
CREATE OR REPLACE FUNCTION shop_sold(from_at timestamptz, to_at timestamptz, of_platforms text[], of_shops text[]) RETURNS TABLE (
    platform text, shop text, currency char(3), created int, orders int, gmv_minor bigint, units bigint, buyers int,
    refunds int, refunds_minor bigint, gifts int, gifts_minor bigint
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT
        sale.platform, sale.shop, sale.currency,
        (count(*) FILTER (WHERE sale.kind = 'created' AND sale.first_of_order))::int,
        (count(*) FILTER (WHERE sale.kind = 'paid' AND sale.first_of_order))::int,
        coalesce(sum(sale.amount_minor) FILTER (WHERE sale.kind = 'paid'), 0)::bigint,
        coalesce(sum(sale.units) FILTER (WHERE sale.kind = 'paid'), 0)::bigint,
        (count(*) FILTER (WHERE sale.kind = 'paid' AND sale.first_of_buyer))::int,
        (count(*) FILTER (WHERE sale.kind = 'refunded' AND sale.first_of_order))::int,
        coalesce(sum(abs(sale.amount_minor)) FILTER (WHERE sale.kind = 'refunded'), 0)::bigint,
        (count(*) FILTER (WHERE sale.kind = 'gift'))::int,
        coalesce(sum(sale.amount_minor) FILTER (WHERE sale.kind = 'gift'), 0)::bigint
    FROM livemon.sale_counted AS sale
    WHERE sale.at >= from_at AND sale.at < to_at
        AND (of_shops IS NULL OR (sale.platform, sale.shop) IN (SELECT * FROM unnest(of_platforms, of_shops)))
        AND sale.kind IN ('created', 'paid', 'refunded', 'gift')
    GROUP BY sale.platform, sale.shop, sale.currency
$$;
COMMENT ON FUNCTION shop_sold(timestamptz, timestamptz, text[], text[]) IS
    'Per platform, shop and currency what was sold in a span, by these shops; NULL: all. An order counts where its first row of a kind on the day is.';

-- The same by shop and item, of orders paid in the event's currency. An order counts once a day for each item that it holds.
CREATE OR REPLACE FUNCTION item_sold(from_at timestamptz, to_at timestamptz, of_platforms text[], of_shops text[]) RETURNS TABLE (
    platform text, shop text, item_id text, title text, orders int, units bigint, gmv_minor bigint
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT
        sale.platform, sale.shop, item.item_id, max(item.title),
        (count(*) FILTER (WHERE sale.order_id = '' OR NOT sale.order_again OR NOT EXISTS (
            SELECT FROM livemon.sale AS earlier
            JOIN livemon.sale_item AS held
                ON held.platform = earlier.platform AND held.event_id = earlier.event_id AND held.item_id = item.item_id
            WHERE earlier.kind = 'paid' AND earlier.order_id = sale.order_id AND earlier.shop = sale.shop
                AND earlier.platform = sale.platform AND earlier.currency = sale.currency
                AND earlier.at >= greatest(
                    date_trunc('day', sale.at, (SELECT timezone FROM livemon.setting)),
                    (SELECT event_starts_at FROM livemon.setting)
                )
                AND (earlier.at, earlier.event_id) < (sale.at, sale.event_id)
        )))::int,
        sum(item.units)::bigint, sum(item.amount_minor)::bigint
    FROM livemon.sale
    JOIN livemon.sale_item AS item ON item.platform = sale.platform AND item.event_id = sale.event_id
    WHERE sale.at >= from_at AND sale.at < to_at
        AND (of_shops IS NULL OR (sale.platform, sale.shop) IN (SELECT * FROM unnest(of_platforms, of_shops)))
        AND sale.kind = 'paid' AND sale.currency = (SELECT event_currency FROM livemon.setting)
    GROUP BY sale.platform, sale.shop, item.item_id
$$;
COMMENT ON FUNCTION item_sold(timestamptz, timestamptz, text[], text[]) IS
    'Per shop and item what orders paid in a span held of it, in the event''s currency, by these shops; NULL: all.';

-- Hours of the window; of the two that its edges cut, what was sold inside.
CREATE OR REPLACE VIEW shop_hours AS
SELECT
    day, platform, shop, currency, created, orders, gmv_minor, units, buyers, refunds, refunds_minor, gifts, gifts_minor
FROM shop_hour
WHERE (hour >= (SELECT full_from FROM event_edge) AND hour < (SELECT full_to FROM event_edge)) IS TRUE
UNION ALL
SELECT
    cut.day, told.platform, told.shop, told.currency, told.created, told.orders, told.gmv_minor, told.units, told.buyers,
    told.refunds, told.refunds_minor, told.gifts, told.gifts_minor
FROM event_cut AS cut
CROSS JOIN LATERAL shop_sold(cut.from_at, cut.to_at, NULL, NULL) AS told;
COMMENT ON VIEW shop_hours IS 'shop_hour inside the event window, and of an hour that an edge of the window cuts what was sold inside.';

-- Two tests and not one range: of a range that it cannot look into the planner expects a two hundredth of all rows, and sorts
-- a week of items on disk instead of hashing them.
CREATE OR REPLACE VIEW item_hours AS
SELECT day, platform, item_id, title, orders, units, gmv_minor
FROM item_hour
WHERE (hour >= (SELECT full_from FROM event_edge)) IS TRUE AND (hour < (SELECT full_to FROM event_edge)) IS TRUE
UNION ALL
SELECT cut.day, told.platform, told.item_id, told.title, told.orders, told.units, told.gmv_minor
FROM event_cut AS cut
CROSS JOIN LATERAL item_sold(cut.from_at, cut.to_at, NULL, NULL) AS told;
COMMENT ON VIEW item_hours IS 'item_hour inside the event window, and of an hour that an edge of the window cuts what was sold inside.';
