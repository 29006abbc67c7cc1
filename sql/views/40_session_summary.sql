-- What happened in each session: people, time on air, drops, blind time, orders.
--
-- People, blind time and money are sums of session_hour, which the roller keeps exact and at most 15 s behind; stops are
-- few and read as they are; what came back is asked order by order, and only where it is asked for. Everything hangs on the one session row by LEFT JOIN LATERAL, so that a question reads its
-- own sessions alone, and of them only what it asks for. session_exact is the same worked out from every observation.
CREATE OR REPLACE VIEW session_summary AS
SELECT
    session.session_id, session.room_id, room.platform, room.external_id, room.anchor, room.hall,
    session.opened_at, session.closed_at, session.close_reason,
    watched.peak_viewers,
    round(watched.viewer_us / nullif(watched.measured_us, 0), 2) AS average_viewers,
    round(watched.viewer_us / 3600000000, 3) AS watch_hours,
    round(life.length_s - stops.off_air_s, 3) AS airtime_s,
    stops.drops::int AS drops,
    round(stops.down_s, 3) AS down_s,
    round(coalesce(watched.blind_us, 0) / 1000000, 3) AS blind_s,
    round(watched.measured_us / 1000000, 3) AS measured_s,
    watched.views_total,
    watched.orders::int AS orders,
    watched.gmv_minor, returned.refunds_minor, watched.gmv_minor - returned.refunds_minor AS net_minor,
    round(watched.gmv_minor * 1000.0 / nullif(watched.views_total, 0))::bigint AS gpm_minor,
    NULL::bigint AS uv_value_minor,
    setting.event_currency AS currency,
    in_major(watched.gmv_minor, setting.event_currency) AS gmv,
    in_major(returned.refunds_minor, setting.event_currency) AS refunds,
    in_major(watched.gmv_minor - returned.refunds_minor, setting.event_currency) AS net,
    watched.orders_other_currency::int AS orders_other_currency,
    watched.created_orders::int AS created_orders,
    returned.orders::int AS refund_orders,
    watched.gifts_minor,
    NULL::bigint AS deposits_minor
FROM session
CROSS JOIN setting
LEFT JOIN room ON room.room_id = session.room_id
CROSS JOIN LATERAL (
    SELECT greatest(coalesce(session.closed_at, now()), session.opened_at) AS ends_at
) AS last
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM last.ends_at - session.opened_at) AS length_s
) AS life
LEFT JOIN LATERAL (
    SELECT
        coalesce(sum(stop.length_s), 0) AS off_air_s,
        coalesce(sum(stop.length_s) FILTER (WHERE stop.outcome IN ('resumed', 'lost')), 0) AS down_s,
        count(*) FILTER (WHERE stop.outcome IN ('resumed', 'lost')) AS drops
    FROM (
        SELECT
            session_stop.outcome,
            extract(epoch FROM greatest(
                CASE WHEN session_stop.outcome = 'resumed' THEN session_stop.followed_at ELSE last.ends_at END,
                session_stop.stopped_at
            ) - session_stop.stopped_at) AS length_s
        FROM session_stop
        WHERE session_stop.session_id = session.session_id
    ) AS stop
) AS stops ON true
LEFT JOIN LATERAL (
    -- NULL, not zero, where no number of viewers was ever told.
    SELECT
        max(summed.peak_viewers) AS peak_viewers,
        max(summed.views_total) AS views_total,
        sum(summed.blind_us) AS blind_us,
        CASE WHEN max(summed.peak_viewers) IS NOT NULL OR sum(summed.measured_us) > 0 THEN sum(summed.viewer_us) END AS viewer_us,
        CASE WHEN max(summed.peak_viewers) IS NOT NULL OR sum(summed.measured_us) > 0 THEN sum(summed.measured_us) END
            AS measured_us,
        coalesce(sum(summed.orders), 0) AS orders,
        coalesce(sum(summed.orders_other_currency), 0) AS orders_other_currency,
        coalesce(sum(summed.created), 0) AS created_orders,
        coalesce(sum(summed.gmv_minor), 0)::bigint AS gmv_minor,
        coalesce(sum(summed.gifts_minor), 0)::bigint AS gifts_minor
    FROM session_hour AS summed
    WHERE summed.session_id = session.session_id
) AS watched ON true
LEFT JOIN LATERAL (
    -- What came back is asked of each order that was paid here: a refund follows its order, whenever it came and whatever room
    -- it told, to the session in which the first part of it was paid. One of an order that nobody saw paid stays where it was.
    SELECT
        count(back.refunds_minor) AS orders,
        coalesce(sum(back.refunds_minor), 0)::bigint AS refunds_minor
    FROM (
        SELECT
            sale.platform, sale.shop, sale.order_id,
            sale.order_id <> '' AND bool_or(sale.kind = 'paid') AS sold,
            sum(abs(sale.amount_minor)) FILTER (WHERE sale.kind = 'refunded' AND sale.currency = setting.event_currency)
                AS refunds_minor
        FROM sale
        WHERE sale.session_id = session.session_id AND sale.kind IN ('paid', 'refunded')
        GROUP BY coalesce(nullif(sale.order_id, ''), sale.event_id), sale.order_id, sale.shop, sale.platform
    ) AS ordered
    LEFT JOIN LATERAL (
        SELECT sum(abs(followed.amount_minor)) AS refunds_minor
        FROM sale AS followed
        WHERE followed.kind = 'refunded' AND followed.order_id = ordered.order_id
            AND followed.shop = ordered.shop AND followed.platform = ordered.platform
            AND followed.currency = setting.event_currency
    ) AS followed ON ordered.sold
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN followed.refunds_minor IS NOT NULL THEN CASE WHEN session.session_id = (
                SELECT first_paid.session_id
                FROM sale AS first_paid
                WHERE first_paid.kind = 'paid' AND first_paid.order_id = ordered.order_id
                    AND first_paid.shop = ordered.shop AND first_paid.platform = ordered.platform
                ORDER BY first_paid.session_id IS NULL, first_paid.at, first_paid.event_id
                LIMIT 1
            ) THEN followed.refunds_minor END
            WHEN ordered.refunds_minor IS NOT NULL AND NOT EXISTS (
                SELECT FROM sale AS paid
                WHERE paid.kind = 'paid' AND paid.order_id = ordered.order_id AND paid.order_id <> ''
                    AND paid.shop = ordered.shop AND paid.platform = ordered.platform
            ) THEN ordered.refunds_minor
        END AS refunds_minor
    ) AS back
) AS returned ON true;

COMMENT ON VIEW session_summary IS
    'One row per session (场次): one broadcast in a room, from opened to closed; an open one is summed up until now '
    '(people, blind time and money up to 15 s behind). Ask for WHERE session_id = ... or limit opened_at. Sources: the feeds '
    '(people), session_change (stops), blind, sale.';
COMMENT ON COLUMN session_summary.peak_viewers IS
    '人数峰值: the highest number of viewers observed on air; true peaks between two observations are not seen.';
COMMENT ON COLUMN session_summary.average_viewers IS
    '平均在线, weighted by time: sum(viewers x seconds held) / measured_s. A number holds until the next one, at most 60 s; '
    'off-air and blind time is left out. NULL: no numbers at all.';
COMMENT ON COLUMN session_summary.watch_hours IS '观看时长 in hours: sum(viewers x seconds held) / 3600; only measured time, so a lower bound.';
COMMENT ON COLUMN session_summary.airtime_s IS
    '直播时长 in seconds: the session''s length less all its stops. Blind time inside counts: the session went on through it.';
COMMENT ON COLUMN session_summary.drops IS '断流: stops that were resumed or lost; the last stop of another close, and one still open, is none.';
COMMENT ON COLUMN session_summary.down_s IS
    'Seconds of those drops inside the session. What a lost room stayed away after its session closed is drop_log.down_s.';
COMMENT ON COLUMN session_summary.blind_s IS
    '看不见: seconds in which every feed that can tell this room''s state was blind at once.';
COMMENT ON COLUMN session_summary.measured_s IS 'Seconds for which a number of viewers is known: how far to trust the average.';
COMMENT ON COLUMN session_summary.views_total IS '场观: the platform''s running total of visits at its highest in the session; NULL: not reported.';
COMMENT ON COLUMN session_summary.orders IS 'Orders paid, in the event''s currency, by the session the sale was attributed to; one that is paid in parts counts once a '
    'day, in the session of its first.';
COMMENT ON COLUMN session_summary.gmv_minor IS 'GMV: orders paid, before refunds, in the minor unit (分) of currency.';
COMMENT ON COLUMN session_summary.refunds_minor IS
    'What of its GMV came back so far, in the minor unit: refunds of the orders that were paid in it, whenever they came. By '
    'their own day they are in room_day and shop_day.';
COMMENT ON COLUMN session_summary.net_minor IS 'gmv_minor - refunds_minor.';
COMMENT ON COLUMN session_summary.gpm_minor IS '千次观看成交: gmv_minor x 1000 / views_total, rounded; NULL without views.';
COMMENT ON COLUMN session_summary.uv_value_minor IS 'UV 价值: GMV / distinct people; NULL until a feed reports distinct people.';
COMMENT ON COLUMN session_summary.gmv IS 'gmv_minor in the major unit (元).';
COMMENT ON COLUMN session_summary.refunds IS 'refunds_minor in the major unit.';
COMMENT ON COLUMN session_summary.net IS 'net_minor in the major unit.';
COMMENT ON COLUMN session_summary.orders_other_currency IS 'Orders paid in another currency; they are in none of the amounts.';
COMMENT ON COLUMN session_summary.created_orders IS 'Orders created in it, paid or not, in the event''s currency; each counts once a day.';
COMMENT ON COLUMN session_summary.refund_orders IS 'Its orders of which something came back so far, distinct.';
COMMENT ON COLUMN session_summary.gifts_minor IS 'Gifts (打赏) in the minor unit, at the rates of the config; never part of GMV.';
COMMENT ON COLUMN session_summary.deposits_minor IS 'Deposits (定金); NULL until a feed tells of them. Never part of GMV.';
