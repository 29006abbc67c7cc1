-- Which sales count an order or a person: each order once a day (inside the event window), with its first row of a kind, so
-- that minutes add up to hours and hours to days, whatever parts an order was paid in.

-- A building block of the sums. An earlier one is looked for only where another one is known (sql/writer/sales_again.sql).
CREATE OR REPLACE VIEW sale_counted AS
SELECT
    sale.platform, sale.event_id, sale.at, sale.received_at, sale.kind, sale.shop, sale.order_id, sale.room_id, sale.session_id,
    sale.amount_minor, sale.currency, sale.units, sale.buyer,
    sale.order_id = '' OR NOT sale.order_again OR NOT CASE sale.kind
        WHEN 'paid' THEN EXISTS (
            SELECT FROM sale AS earlier
            WHERE earlier.kind = 'paid' AND earlier.order_id = sale.order_id AND earlier.shop = sale.shop
                AND earlier.platform = sale.platform AND earlier.currency = sale.currency
                AND earlier.at >= greatest(
                    date_trunc('day', sale.at, (SELECT timezone FROM setting)), (SELECT event_starts_at FROM setting)
                )
                AND (earlier.at, earlier.event_id) < (sale.at, sale.event_id)
        )
        WHEN 'created' THEN EXISTS (
            SELECT FROM sale AS earlier
            WHERE earlier.kind = 'created' AND earlier.order_id = sale.order_id AND earlier.order_id <> ''
                AND earlier.shop = sale.shop AND earlier.platform = sale.platform AND earlier.currency = sale.currency
                AND earlier.at >= greatest(
                    date_trunc('day', sale.at, (SELECT timezone FROM setting)), (SELECT event_starts_at FROM setting)
                )
                AND (earlier.at, earlier.event_id) < (sale.at, sale.event_id)
        )
        WHEN 'refunded' THEN EXISTS (
            SELECT FROM sale AS earlier
            WHERE earlier.kind = 'refunded' AND earlier.order_id = sale.order_id AND earlier.shop = sale.shop
                AND earlier.platform = sale.platform AND earlier.currency = sale.currency
                AND earlier.at >= greatest(
                    date_trunc('day', sale.at, (SELECT timezone FROM setting)), (SELECT event_starts_at FROM setting)
                )
                AND (earlier.at, earlier.event_id) < (sale.at, sale.event_id)
        )
        ELSE false
    END AS first_of_order,
    CASE WHEN sale.kind = 'paid' AND sale.buyer IS NOT NULL THEN NOT sale.buyer_again OR NOT EXISTS (
        SELECT FROM sale AS earlier
        WHERE earlier.kind = 'paid' AND earlier.buyer = sale.buyer AND earlier.shop = sale.shop
            AND earlier.platform = sale.platform AND earlier.currency = sale.currency
            AND earlier.at >= greatest(
                date_trunc('day', sale.at, (SELECT timezone FROM setting)), (SELECT event_starts_at FROM setting)
            )
            AND (earlier.at, earlier.event_id) < (sale.at, sale.event_id)
    ) END AS first_of_buyer
FROM sale;
COMMENT ON VIEW sale_counted IS 'Each sale, and whether it counts its order and its buyer: the first of this kind on its day, and here.';
COMMENT ON COLUMN sale_counted.first_of_order IS 'No row of this kind of the same order is earlier on this day (inside the event window); always true without an order id.';
COMMENT ON COLUMN sale_counted.first_of_buyer IS
    'Nothing was paid earlier on this day (inside the event window) by the same person in the same shop; NULL: nobody is named.';
