-- A day's figures as they were known at some instant.
CREATE OR REPLACE FUNCTION event_day(of_day date, known_at timestamptz DEFAULT now()) RETURNS TABLE (
    day date, platform text, as_of timestamptz, currency char(3), created_orders int, orders int, gmv_minor bigint,
    gmv numeric, refund_orders int, refunds_minor bigint, refunds numeric, net_minor bigint, net numeric, gifts int,
    gifts_minor bigint
)
LANGUAGE sql STABLE PARALLEL SAFE SET work_mem = '64MB' AS $$ -- so that a day's orders are hashed, not sorted on disk
    WITH asked AS MATERIALIZED ( -- once, whatever the day and the instant are expressions of
        SELECT
            of_day AS day, known_at AS as_of,
            greatest(of_day::timestamp AT TIME ZONE setting.timezone, setting.event_starts_at) AS from_at,
            least((of_day + 1)::timestamp AT TIME ZONE setting.timezone, setting.event_ends_at) AS to_at
        FROM livemon.setting
    )
    SELECT
        told.day, told.platform, told.as_of, told.currency, told.created_orders::int, told.orders::int, told.gmv_minor,
        livemon.in_major(told.gmv_minor, told.currency), told.refund_orders::int, told.refunds_minor,
        livemon.in_major(told.refunds_minor, told.currency), told.gmv_minor - told.refunds_minor,
        livemon.in_major(told.gmv_minor - told.refunds_minor, told.currency), told.gifts::int, told.gifts_minor
    FROM (
        -- As it is known now: summed already.
        SELECT
            of_day AS day, known_at AS as_of, summed.platform, summed.currency,
            sum(summed.created) AS created_orders,
            sum(summed.orders) AS orders,
            sum(summed.gmv_minor)::bigint AS gmv_minor,
            sum(summed.refunds) AS refund_orders,
            sum(summed.refunds_minor)::bigint AS refunds_minor,
            sum(summed.gifts) AS gifts,
            sum(summed.gifts_minor)::bigint AS gifts_minor
        FROM livemon.shop_hours AS summed
        WHERE summed.day = of_day AND known_at >= now()
        GROUP BY summed.platform, summed.currency
        UNION ALL
        -- As it was known then: from the sales received by then.
        SELECT
            ordered.day, ordered.as_of, ordered.platform, ordered.currency,
            count(*) FILTER (WHERE ordered.created) AS created_orders,
            count(*) FILTER (WHERE ordered.paid) AS orders,
            coalesce(sum(ordered.gmv_minor), 0)::bigint AS gmv_minor,
            count(*) FILTER (WHERE ordered.refunded) AS refund_orders,
            coalesce(sum(ordered.refunds_minor), 0)::bigint AS refunds_minor,
            sum(ordered.gifts) AS gifts,
            coalesce(sum(ordered.gifts_minor), 0)::bigint AS gifts_minor
        FROM (
            SELECT
                asked.day, asked.as_of, sale.platform, sale.currency,
                bool_or(sale.kind = 'created') AS created,
                bool_or(sale.kind = 'paid') AS paid,
                bool_or(sale.kind = 'refunded') AS refunded,
                count(*) FILTER (WHERE sale.kind = 'gift') AS gifts,
                sum(sale.amount_minor) FILTER (WHERE sale.kind = 'paid') AS gmv_minor,
                sum(abs(sale.amount_minor)) FILTER (WHERE sale.kind = 'refunded') AS refunds_minor,
                sum(sale.amount_minor) FILTER (WHERE sale.kind = 'gift') AS gifts_minor
            FROM asked
            JOIN livemon.sale ON sale.at >= asked.from_at AND sale.at < asked.to_at AND sale.received_at <= asked.as_of
            WHERE sale.kind IN ('created', 'paid', 'refunded', 'gift') AND asked.as_of < now()
            GROUP BY asked.day, asked.as_of, sale.platform, sale.currency, sale.shop,
                coalesce(nullif(sale.order_id, ''), sale.event_id)
        ) AS ordered
        GROUP BY ordered.day, ordered.as_of, ordered.platform, ordered.currency
    ) AS told
$$;
COMMENT ON FUNCTION event_day(date, timestamptz) IS
    'Figures of one day of the event''s zone, inside the event window, from the sales that livemon had received by as_of: '
    'one row per platform and currency (never add currencies). At 00:15 of the next day it is what day_cut keeps; now, '
    'with late arrivals, at most 15 s behind. orders, created_orders, refund_orders: distinct orders; '
    'GMV by pay time, before refunds; refunds by their own time. Source: sale, now by way of its hourly sums.';
