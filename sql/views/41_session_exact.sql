-- The same of one session, worked out from every single observation: what the sums by minute and hour must agree with.
--
-- Everything hangs on the one session row by LATERAL, so that a question for one session reads its ticks alone.
-- `off_air` and `unseen` are sets of time (multiranges); ticks inside them count for nothing.
CREATE OR REPLACE VIEW session_exact AS
SELECT
    told.session_id, told.room_id, told.platform, told.external_id, told.anchor, told.hall,
    told.opened_at, told.closed_at, told.close_reason,
    watched.peak_viewers,
    round(watched.viewer_seconds / nullif(watched.measured_s, 0), 2) AS average_viewers,
    round(watched.viewer_seconds / 3600, 3) AS watch_hours,
    round(life.length_s - stops.off_air_s, 3) AS airtime_s,
    stops.drops::int AS drops,
    round(stops.down_s, 3) AS down_s,
    round(unseen.blind_s, 3) AS blind_s,
    round(watched.measured_s, 3) AS measured_s,
    watched.views_total,
    told.orders, told.gmv_minor, told.refunds_minor, told.net_minor,
    round(told.gmv_minor * 1000.0 / nullif(watched.views_total, 0))::bigint AS gpm_minor,
    told.uv_value_minor, told.currency, told.gmv, told.refunds, told.net, told.orders_other_currency,
    told.created_orders, told.refund_orders, told.gifts_minor, told.deposits_minor
FROM session
JOIN session_summary AS told ON told.session_id = session.session_id
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
) AS watched;
COMMENT ON VIEW session_exact IS
    'The row of session_summary for one session, with people, time on air and blind time worked out anew from every '
    'observation until now: to check, and for a session of this very moment. Always ask WHERE session_id = ...; many '
    'sessions are slow. Columns mean what they mean in session_summary.';
