-- What each session of platform $2 did in minute $1, from what was observed. The same meaning as session_summary (its
-- comments say why), cut at the minute's edges. A number of viewers holds at most 60 s: ticks of the minute before count.
-- Everything hangs on the sessions of the minute by LATERAL, so that ticks are read by room and instant alone.
INSERT INTO session_minute (
    minute, platform, room_id, session_id, air_us, blind_us, measured_us, viewer_us, peak_viewers, views_total,
    likes_total, drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor,
    orders_other_currency
)
WITH edge AS MATERIALIZED (
    SELECT
        $1::timestamptz AS from_at,
        $1::timestamptz + interval '1 minute' AS to_at,
        $1::timestamptz - interval '1 minute' AS heard_from,
        (SELECT event_currency FROM setting) AS currency
),
present AS MATERIALIZED (
    SELECT
        session.session_id, session.room_id, session.opened_at, life.ends_at,
        tstzrange(greatest(session.opened_at, edge.from_at), least(life.ends_at, edge.to_at)) AS part,
        tstzrange(greatest(session.opened_at, edge.heard_from), least(life.ends_at, edge.to_at)) AS heard
    FROM edge
    JOIN session ON tstzrange(
        session.opened_at, CASE WHEN session.closed_at IS NOT NULL THEN greatest(session.closed_at, session.opened_at) END
    ) && tstzrange(edge.from_at, edge.to_at)
    JOIN room ON room.room_id = session.room_id AND room.platform = $2
    CROSS JOIN LATERAL (SELECT greatest(coalesce(session.closed_at, now()), session.opened_at) AS ends_at) AS life
    WHERE life.ends_at > edge.from_at
),
dark AS MATERIALIZED (
    SELECT
        blind.feed, blind.room_id,
        tstzrange(blind.from_at, CASE WHEN blind.to_at IS NOT NULL THEN greatest(blind.to_at, blind.from_at) END) AS span
    FROM edge
    JOIN blind ON tstzrange(
        blind.from_at, CASE WHEN blind.to_at IS NOT NULL THEN greatest(blind.to_at, blind.from_at) END
    ) && tstzrange(edge.heard_from, edge.to_at)
),
dark_room AS MATERIALIZED (
    SELECT DISTINCT watch.room_id
    FROM dark
    JOIN room_watch AS watch ON watch.feed = dark.feed AND (dark.room_id IS NULL OR dark.room_id = watch.room_id)
),
unseen AS MATERIALIZED (
    -- Covered by some feed that can tell, and seen by none of them: the intersection of what each could not see.
    SELECT present.session_id, eyes.spans
    FROM present
    JOIN dark_room ON dark_room.room_id = present.room_id
    CROSS JOIN LATERAL (
        SELECT coalesce(range_agg(eye.covered) - range_agg(eye.covered - eye.shut), '{}') AS spans
        FROM (
            SELECT
                range_agg(present.heard * tstzrange(
                    watch.from_at, CASE WHEN watch.to_at IS NOT NULL THEN greatest(watch.to_at, watch.from_at) END
                )) AS covered,
                (
                    SELECT coalesce(range_agg(dark.span), '{}')
                    FROM dark
                    WHERE dark.feed = watch.feed AND (dark.room_id IS NULL OR dark.room_id = present.room_id)
                ) AS shut
            FROM room_watch AS watch
            WHERE watch.room_id = present.room_id AND NOT watch.silent_by_nature
            GROUP BY watch.feed
        ) AS eye
    ) AS eyes
),
lived AS (
    SELECT
        present.room_id, present.session_id,
        extract(epoch FROM upper(present.part) - lower(present.part)) - stops.off_air_s AS air_s,
        dimmed.blind_s,
        watched.*
    FROM present
    CROSS JOIN edge
    LEFT JOIN unseen ON unseen.session_id = present.session_id
    CROSS JOIN LATERAL (
        SELECT
            stopped.off_air,
            (
                SELECT coalesce(sum(extract(epoch FROM upper(cut) - lower(cut))), 0)
                FROM unnest(stopped.off_air * tstzmultirange(present.part)) AS cut
            ) AS off_air_s
        FROM (
            SELECT coalesce(range_agg(
                present.heard * tstzrange(stop.stopped_at, greatest(stop.stopped_at, CASE
                    WHEN stop.outcome = 'resumed' THEN stop.followed_at ELSE present.ends_at
                END))
            ), '{}') AS off_air
            FROM session_stop AS stop
            WHERE stop.session_id = present.session_id -- alone: a look at all changes of a time would cost more
        ) AS stopped
    ) AS stops
    CROSS JOIN LATERAL (
        SELECT
            coalesce(unseen.spans, '{}') AS spans,
            (
                SELECT coalesce(sum(extract(epoch FROM upper(cut) - lower(cut))), 0)
                FROM unnest(unseen.spans * tstzmultirange(present.part)) AS cut
            ) AS blind_s
    ) AS dimmed
    CROSS JOIN LATERAL (
        SELECT
            extract(epoch FROM sum(mark.held)) AS measured_s,
            extract(epoch FROM sum(mark.viewers * mark.held)) AS viewer_s,
            max(mark.viewers) FILTER (WHERE mark.counts AND mark.at >= edge.from_at) AS peak_viewers,
            max(mark.views_total) FILTER (WHERE mark.at >= edge.from_at) AS views_total,
            max(mark.likes_total) FILTER (WHERE mark.at >= edge.from_at) AS likes_total
        FROM (
            SELECT
                moment.at, moment.viewers, moment.views_total, moment.likes_total, moment.counts,
                CASE WHEN moment.counts AND moment.viewers IS NOT NULL THEN greatest(least(
                    lead(moment.at) OVER (PARTITION BY moment.counts ORDER BY moment.at, moment.viewers NULLS FIRST),
                    moment.at + interval '60 seconds',
                    upper(present.part)
                ) - greatest(moment.at, edge.from_at), interval '0') END AS held
            FROM (
                SELECT
                    tick.at,
                    CASE WHEN tick.live IS NOT FALSE THEN tick.viewers END AS viewers,
                    tick.views_total, tick.likes_total,
                    (tick.viewers IS NOT NULL OR tick.live IS FALSE)
                        AND NOT tick.at <@ stops.off_air AND NOT tick.at <@ dimmed.spans AS counts
                FROM tick_raw AS tick
                WHERE tick.room_id = present.room_id
                    AND tick.at >= $1::timestamptz - interval '1 minute' AND tick.at < $1::timestamptz + interval '1 minute'
                    AND tick.at >= present.opened_at AND tick.at < present.ends_at
                UNION ALL
                SELECT lower(shut), NULL, NULL, NULL, true FROM unnest(stops.off_air + dimmed.spans) AS shut
            ) AS moment
        ) AS mark
    ) AS watched
),
dropped AS (
    SELECT stop.room_id, stop.session_id, count(*) AS drops
    FROM session_stop AS stop
    JOIN room ON room.room_id = stop.room_id AND room.platform = $2
    WHERE stop.stopped_at >= $1::timestamptz AND stop.stopped_at < $1::timestamptz + interval '1 minute'
        AND stop.outcome IN ('resumed', 'lost')
    GROUP BY stop.room_id, stop.session_id
),
sale_of_minute AS MATERIALIZED (
    -- Apart, so that the looks for an earlier row are planned once, not again for each sum.
    SELECT
        sale.room_id, sale.session_id, sale.kind, sale.amount_minor, sale.units, sale.first_of_order,
        sale.currency = edge.currency AS ours
    FROM edge
    JOIN sale_counted AS sale ON sale.at >= $1::timestamptz AND sale.at < $1::timestamptz + interval '1 minute'
    JOIN room ON room.room_id = sale.room_id AND room.platform = $2
),
sold AS (
    SELECT
        sale.room_id, sale.session_id,
        count(*) FILTER (WHERE sale.kind = 'created' AND ours AND sale.first_of_order) AS created,
        count(*) FILTER (WHERE sale.kind = 'paid' AND ours AND sale.first_of_order) AS orders,
        sum(sale.amount_minor) FILTER (WHERE sale.kind = 'paid' AND ours) AS gmv_minor,
        sum(sale.units) FILTER (WHERE sale.kind = 'paid' AND ours) AS units,
        count(*) FILTER (WHERE sale.kind = 'refunded' AND ours AND sale.first_of_order) AS refunds,
        sum(abs(sale.amount_minor)) FILTER (WHERE sale.kind = 'refunded' AND ours) AS refunds_minor,
        count(*) FILTER (WHERE sale.kind = 'gift' AND ours) AS gifts,
        sum(sale.amount_minor) FILTER (WHERE sale.kind = 'gift' AND ours) AS gifts_minor,
        count(*) FILTER (WHERE sale.kind = 'paid' AND NOT ours AND sale.first_of_order) AS orders_other_currency
    FROM sale_of_minute AS sale
    GROUP BY sale.room_id, sale.session_id
)
SELECT
    $1::timestamptz, $2, room_id, session_id,
    (coalesce(sum(air_s), 0) * 1000000)::bigint, (coalesce(sum(blind_s), 0) * 1000000)::bigint,
    (coalesce(sum(measured_s), 0) * 1000000)::bigint, (coalesce(sum(viewer_s), 0) * 1000000)::bigint,
    max(peak_viewers), max(views_total), max(likes_total),
    coalesce(sum(drops), 0), coalesce(sum(created), 0), coalesce(sum(orders), 0), coalesce(sum(gmv_minor), 0),
    coalesce(sum(units), 0), coalesce(sum(refunds), 0), coalesce(sum(refunds_minor), 0), coalesce(sum(gifts), 0),
    coalesce(sum(gifts_minor), 0), coalesce(sum(orders_other_currency), 0)
FROM (
    SELECT
        room_id, session_id, air_s, blind_s, measured_s, viewer_s, peak_viewers, views_total, likes_total,
        0 AS drops, 0 AS created, 0 AS orders, 0 AS gmv_minor, 0 AS units, 0 AS refunds, 0 AS refunds_minor, 0 AS gifts,
        0 AS gifts_minor, 0 AS orders_other_currency
    FROM lived
    UNION ALL
    SELECT room_id, session_id, 0, 0, 0, 0, NULL, NULL, NULL, drops, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM dropped
    UNION ALL
    SELECT
        room_id, session_id, 0, 0, 0, 0, NULL, NULL, NULL, 0, created, orders, gmv_minor, units, refunds, refunds_minor,
        gifts, gifts_minor, orders_other_currency
    FROM sold
) AS contribution
GROUP BY room_id, session_id
