-- What happened in each session: people, time on air, drops, blind time, orders.
--
-- Everything hangs on the one session row by LATERAL, so that a question for one session reads its ticks alone.
-- `off_air` and `unseen` are sets of time (multiranges); ticks inside them count for nothing.
CREATE OR REPLACE VIEW session_summary AS
SELECT
    session.session_id, session.room_id, room.platform, room.external_id, room.anchor, room.hall,
    session.opened_at, session.closed_at, session.close_reason,
    watched.peak_viewers,
    round(watched.viewer_seconds / nullif(watched.measured_s, 0), 2) AS average_viewers,
    round(watched.viewer_seconds / 3600, 3) AS watch_hours,
    round(life.length_s - stops.off_air_s, 3) AS airtime_s,
    stops.drops::int AS drops,
    round(stops.down_s, 3) AS down_s,
    round(unseen.blind_s, 3) AS blind_s,
    round(watched.measured_s, 3) AS measured_s,
    watched.views_total,
    sales.orders::int AS orders,
    sales.gmv_minor, sales.refunds_minor, sales.gmv_minor - sales.refunds_minor AS net_minor,
    round(sales.gmv_minor * 1000.0 / nullif(watched.views_total, 0))::bigint AS gpm_minor,
    NULL::bigint AS uv_value_minor,
    setting.event_currency AS currency,
    in_major(sales.gmv_minor, setting.event_currency) AS gmv,
    in_major(sales.refunds_minor, setting.event_currency) AS refunds,
    in_major(sales.gmv_minor - sales.refunds_minor, setting.event_currency) AS net,
    sales.orders_other_currency::int AS orders_other_currency
FROM session
CROSS JOIN setting
LEFT JOIN room ON room.room_id = session.room_id
CROSS JOIN LATERAL (
    SELECT greatest(coalesce(session.closed_at, now()), session.opened_at) AS ends_at
) AS last
CROSS JOIN LATERAL (
    SELECT
        tstzrange(session.opened_at, last.ends_at) AS span,
        extract(epoch FROM last.ends_at - session.opened_at) AS length_s
) AS life
CROSS JOIN LATERAL (
    SELECT
        coalesce(range_agg(stop.span), '{}') AS off_air,
        coalesce(sum(stop.length_s), 0) AS off_air_s,
        coalesce(sum(stop.length_s) FILTER (WHERE stop.outcome IN ('resumed', 'lost')), 0) AS down_s,
        count(*) FILTER (WHERE stop.outcome IN ('resumed', 'lost')) AS drops
    FROM (
        SELECT
            session_stop.outcome,
            tstzrange(session_stop.stopped_at, until.until_at) * life.span AS span,
            extract(epoch FROM until.until_at - session_stop.stopped_at) AS length_s
        FROM session_stop
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN session_stop.outcome = 'resumed' THEN greatest(session_stop.followed_at, session_stop.stopped_at)
                ELSE greatest(last.ends_at, session_stop.stopped_at)
            END AS until_at
        ) AS until
        WHERE session_stop.session_id = session.session_id
    ) AS stop
) AS stops
CROSS JOIN LATERAL (
    -- Covered by some feed that can tell, and seen by none of them: the intersection of what each could not see.
    SELECT
        dark.spans,
        (SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0) FROM unnest(dark.spans) AS part) AS blind_s
    FROM (
        SELECT coalesce(range_agg(eye.covered) - range_agg(eye.covered - eye.shut), '{}') AS spans
        FROM (
            SELECT
                range_agg(life.span * tstzrange(
                    watch.from_at, CASE WHEN watch.to_at IS NOT NULL THEN greatest(watch.to_at, watch.from_at) END
                )) AS covered,
                (
                    SELECT coalesce(range_agg(tstzrange(
                        blind.from_at, CASE WHEN blind.to_at IS NOT NULL THEN greatest(blind.to_at, blind.from_at) END
                    )), '{}')
                    FROM blind
                    WHERE blind.feed = watch.feed
                        AND (blind.room_id IS NULL OR blind.room_id = session.room_id)
                        AND blind.from_at < last.ends_at
                        AND (blind.to_at IS NULL OR blind.to_at > session.opened_at)
                ) AS shut
            FROM room_watch AS watch
            WHERE watch.room_id = session.room_id AND NOT watch.silent_by_nature
                AND watch.from_at < last.ends_at
                AND (watch.to_at IS NULL OR watch.to_at > session.opened_at)
            GROUP BY watch.feed
        ) AS eye
    ) AS dark
) AS unseen
CROSS JOIN LATERAL (
    -- A number of viewers holds until the next one, at most 60 s, and never into a stop or a blind span.
    SELECT
        max(mark.viewers) FILTER (WHERE mark.counts) AS peak_viewers,
        extract(epoch FROM sum(mark.viewers * mark.held)) AS viewer_seconds,
        extract(epoch FROM sum(mark.held)) AS measured_s,
        max(mark.views_total) AS views_total
    FROM (
        SELECT
            moment.viewers, moment.views_total, moment.counts,
            CASE WHEN moment.counts AND moment.viewers IS NOT NULL THEN least(
                lead(moment.at) OVER (PARTITION BY moment.counts ORDER BY moment.at),
                moment.at + interval '60 seconds',
                last.ends_at
            ) - moment.at END AS held
        FROM (
            SELECT
                tick.at,
                CASE WHEN tick.live IS NOT FALSE THEN tick.viewers END AS viewers,
                tick.views_total,
                (tick.viewers IS NOT NULL OR tick.live IS FALSE)
                    AND NOT tick.at <@ stops.off_air AND NOT tick.at <@ unseen.spans AS counts
            FROM viewer_tick AS tick
            WHERE tick.room_id = session.room_id AND tick.at >= session.opened_at AND tick.at < last.ends_at
            UNION ALL
            SELECT lower(part), NULL, NULL, true FROM unnest(stops.off_air + unseen.spans) AS part
        ) AS moment
    ) AS mark
) AS watched
CROSS JOIN LATERAL (
    SELECT
        count(DISTINCT (sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id)))
            FILTER (WHERE sale.kind = 'paid' AND sale.currency = setting.event_currency) AS orders,
        count(DISTINCT (sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id)))
            FILTER (WHERE sale.kind = 'paid' AND sale.currency <> setting.event_currency) AS orders_other_currency,
        coalesce(sum(sale.amount_minor)
            FILTER (WHERE sale.kind = 'paid' AND sale.currency = setting.event_currency), 0)::bigint AS gmv_minor,
        coalesce(sum(abs(sale.amount_minor))
            FILTER (WHERE sale.kind = 'refunded' AND sale.currency = setting.event_currency), 0)::bigint AS refunds_minor
    FROM sale
    WHERE sale.session_id = session.session_id
) AS sales;

COMMENT ON VIEW session_summary IS
    'One row per session (场次): one broadcast in a room, from opened to closed; an open one is summed up until now. Ask '
    'for WHERE session_id = ... or limit opened_at. Sources: the feeds (people), session_change (stops), blind, sale.';
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
COMMENT ON COLUMN session_summary.orders IS 'Orders paid, distinct, in the event''s currency, by the session the sale was attributed to.';
COMMENT ON COLUMN session_summary.gmv_minor IS 'GMV: orders paid, before refunds, in the minor unit (分) of currency.';
COMMENT ON COLUMN session_summary.refunds_minor IS
    'Refunds made while it was on air, in the minor unit; those made later are in sale, with their room and no session.';
COMMENT ON COLUMN session_summary.net_minor IS 'gmv_minor - refunds_minor.';
COMMENT ON COLUMN session_summary.gpm_minor IS '千次观看成交: gmv_minor x 1000 / views_total, rounded; NULL without views.';
COMMENT ON COLUMN session_summary.uv_value_minor IS 'UV 价值: GMV / distinct people; NULL until a feed reports distinct people.';
COMMENT ON COLUMN session_summary.gmv IS 'gmv_minor in the major unit (元).';
COMMENT ON COLUMN session_summary.refunds IS 'refunds_minor in the major unit.';
COMMENT ON COLUMN session_summary.net IS 'net_minor in the major unit.';
COMMENT ON COLUMN session_summary.orders_other_currency IS 'Orders paid in another currency; they are in none of the amounts.';
