-- The event's days and the hours that count for it: every total of a day or of the event is cut by the event window.

-- None of these is granted to readers: building blocks of the views of days.

-- The window, and the whole hours inside it. An edge that is not set is open.
CREATE OR REPLACE VIEW event_edge AS
SELECT
    edge.from_at, edge.to_at,
    CASE
        WHEN edge.from_at = '-infinity' OR event_hour(edge.from_at) = edge.from_at THEN edge.from_at
        ELSE event_hour(edge.from_at) + interval '1 hour'
    END AS full_from,
    CASE WHEN edge.to_at = 'infinity' THEN edge.to_at ELSE event_hour(edge.to_at) END AS full_to
FROM (
    SELECT coalesce(event_starts_at, '-infinity') AS from_at, coalesce(event_ends_at, 'infinity') AS to_at FROM setting
) AS edge;
COMMENT ON VIEW event_edge IS 'The event window, open where it is not set, and the whole hours of the event''s zone inside it.';

-- Of the hours that an edge of the window cuts, the parts inside: none, one or two rows.
CREATE OR REPLACE VIEW event_cut AS
SELECT (part.from_at AT TIME ZONE setting.timezone)::date AS day, part.from_at, part.to_at
FROM event_edge AS edge
CROSS JOIN setting
CROSS JOIN LATERAL (
    VALUES (edge.from_at, least(edge.full_from, edge.to_at)), (greatest(edge.full_from, edge.full_to), edge.to_at)
) AS part (from_at, to_at)
WHERE part.from_at < part.to_at AND part.from_at > '-infinity' AND part.to_at < 'infinity';
COMMENT ON VIEW event_cut IS 'The parts inside the event window of the hours that its edges cut.';

-- The days of the event that have begun, each as far as the window goes.
CREATE OR REPLACE VIEW event_days AS
SELECT days.day, span.from_at, span.to_at
FROM setting
CROSS JOIN LATERAL (
    SELECT
        greatest(setting.event_starts_at, (SELECT min(sale.at) FROM sale)) AS first_at,
        least(setting.event_ends_at, (SELECT max(sale.at) FROM sale)) AS last_at
) AS told
CROSS JOIN LATERAL (
    SELECT event_date(told.first_at) + number AS day
    FROM generate_series(0, event_date(told.last_at) - event_date(told.first_at)) AS number
) AS days
CROSS JOIN LATERAL (
    SELECT
        greatest(days.day::timestamp AT TIME ZONE setting.timezone, setting.event_starts_at) AS from_at,
        least((days.day + 1)::timestamp AT TIME ZONE setting.timezone, setting.event_ends_at) AS to_at
) AS span
WHERE span.from_at < span.to_at;
COMMENT ON VIEW event_days IS 'The days, in the event''s zone, from which sales are known, each cut by the event window.';

-- Hours of the window; of the two that its edges cut, the minutes inside. IS TRUE keeps the index for the day, or the room,
-- that is asked for: the window is wide. The day of a minute is not event_date(), which would be run for each row.
CREATE OR REPLACE VIEW event_hours AS
SELECT
    day, hour AS at, platform, room_id, session_id, air_us, blind_us, measured_us, viewer_us, peak_viewers, peak_at,
    views_total, likes_total, drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor,
    orders_other_currency
FROM session_hour
WHERE (hour >= (SELECT full_from FROM event_edge) AND hour < (SELECT full_to FROM event_edge)) IS TRUE
UNION ALL
SELECT
    (minute AT TIME ZONE (SELECT timezone FROM setting))::date, minute, platform, room_id, session_id, air_us, blind_us,
    measured_us, viewer_us, peak_viewers, minute, views_total, likes_total, drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor,
    orders_other_currency
FROM session_minute
WHERE minute >= (SELECT from_at FROM event_edge) AND minute < (SELECT least(full_from, to_at) FROM event_edge)
UNION ALL
SELECT
    (minute AT TIME ZONE (SELECT timezone FROM setting))::date, minute, platform, room_id, session_id, air_us, blind_us,
    measured_us, viewer_us, peak_viewers, minute, views_total, likes_total, drops, created, orders, gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor,
    orders_other_currency
FROM session_minute
WHERE minute >= (SELECT greatest(full_from, full_to) FROM event_edge) AND minute < (SELECT to_at FROM event_edge);
COMMENT ON VIEW event_hours IS
    'session_hour inside the event window; of an hour that an edge of the window cuts, the minutes that begin inside.';
