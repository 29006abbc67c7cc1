-- Every day of ticks and of minutes, how large it is, and what still stands between it and its end. A day that is begun
-- hangs on its table no more, or only half: it was decided on, and what took it away was interrupted. And every day of
-- what platforms said of their own money: of that the last word of each session is no part, since it stays.
WITH zone AS (SELECT timezone, event_starts_at, event_ends_at FROM livemon.setting),
parts AS (
    SELECT regexp_replace(relname, '_\d{8}$', '') AS relation, to_date(right(relname, 8), 'YYYYMMDD') AS day,
        coalesce(NOT inhdetachpending, false) AS attached, coalesce(inhdetachpending, false) AS pending,
        greatest(reltuples, 0)::bigint AS rows, pg_total_relation_size(pg_class.oid) AS bytes
    FROM pg_class LEFT JOIN pg_inherits ON inhrelid = pg_class.oid
    WHERE relnamespace = 'livemon'::regnamespace AND relkind = 'r' AND relname ~ '^(tick_raw|session_minute)_\d{8}$'
    UNION ALL
    SELECT 'platform_total', livemon.event_date(at), true, false, count(*), sum(pg_column_size(told.*))::bigint
    FROM livemon.platform_total AS told
    WHERE EXISTS (
        SELECT FROM livemon.platform_total AS later
        WHERE later.room_id = told.room_id AND later.at > told.at
            AND later.session_id IS NOT DISTINCT FROM told.session_id AND later.currency = told.currency
    )
    GROUP BY livemon.event_date(at)
),
bounded AS (
    SELECT parts.*, day::timestamp AT TIME ZONE timezone AS from_at, (day + 1)::timestamp AT TIME ZONE timezone AS to_at
    FROM parts CROSS JOIN zone
)
SELECT relation, day, from_at, to_at, rows, bytes, attached, pending,
    EXISTS (SELECT FROM bounded AS ticks WHERE ticks.relation = 'tick_raw' AND ticks.day = bounded.day) AS has_ticks,
    (SELECT count(*) FROM livemon.minute_touched WHERE minute <= to_at AND coalesce(until, minute) >= from_at)::int AS marks,
    (
        SELECT count(*) FROM livemon.session
        WHERE opened_at < to_at AND coalesce(closed_at, now()) > greatest(from_at, opened_at)
            AND NOT EXISTS (
                SELECT FROM livemon.session_hour
                WHERE session_hour.session_id = session.session_id AND session_hour.day = bounded.day
            )
    )::int AS unsummed
FROM bounded ORDER BY day, relation DESC
