-- Stops inside sessions, and those among them that count as drops.

-- Not granted to readers: every stop, also a sign-off. A stop lasts until the next change of its session.
CREATE OR REPLACE VIEW session_stop AS
SELECT
    stop.session_id, stop.room_id, stop.number, stop.at AS stopped_at, stop.cause,
    following.at AS followed_at,
    CASE
        WHEN following.change IS NULL THEN 'open'
        WHEN following.change = 'resumed' THEN 'resumed'
        WHEN following.cause = 'lost' THEN 'lost'
        ELSE 'closed'
    END AS outcome
FROM session_change AS stop
LEFT JOIN LATERAL (
    SELECT later.change, later.at, later.cause
    FROM session_change AS later
    WHERE later.session_id = stop.session_id AND later.number > stop.number
    ORDER BY later.number
    LIMIT 1
) AS following ON true
WHERE stop.change = 'dropped';
COMMENT ON VIEW session_stop IS
    'Every stop inside a session. Outcome: resumed, lost, closed (the session ended for another reason: no drop), open.';

CREATE OR REPLACE VIEW drop_log AS
SELECT
    stop.session_id, stop.room_id, room.platform, room.external_id, room.anchor, room.hall, room.tier, room.contact,
    stop.stopped_at AS dropped_at,
    back.back_at,
    extract(epoch FROM CASE
        WHEN stop.outcome = 'resumed' THEN back.back_at
        WHEN back.back_at IS NOT NULL OR slot.ends_at IS NOT NULL
            THEN greatest(least(coalesce(back.back_at, now()), slot.ends_at), stop.stopped_at) -- least() skips NULL
    END - stop.stopped_at)::numeric(12, 3) AS down_s,
    before.viewers AS viewers_before,
    stop.outcome,
    stop.cause
FROM session_stop AS stop
JOIN session ON session.session_id = stop.session_id
LEFT JOIN room ON room.room_id = stop.room_id
LEFT JOIN LATERAL (
    SELECT CASE WHEN stop.outcome = 'resumed' THEN stop.followed_at ELSE (
        SELECT next_session.opened_at
        FROM session AS next_session
        WHERE next_session.room_id = stop.room_id AND next_session.opened_at > session.opened_at
        ORDER BY next_session.opened_at
        LIMIT 1
    ) END AS back_at
) AS back ON true
LEFT JOIN LATERAL (
    -- Slots that touch are one. One that begins within minutes counts, too: grace ran out inside it.
    SELECT max(upper(slot.part)) AS ends_at
    FROM unnest((
        SELECT range_agg(tstzrange(schedule.starts_at, schedule.ends_at))
        FROM schedule
        WHERE stop.outcome = 'lost' AND schedule.room_id = stop.room_id AND schedule.ends_at > stop.stopped_at
    )) AS slot (part)
    WHERE lower(slot.part) <= stop.stopped_at + interval '5 minutes'
) AS slot ON true
LEFT JOIN LATERAL (
    SELECT tick.viewers
    FROM viewer_tick AS tick
    WHERE tick.room_id = stop.room_id
        AND tick.at < stop.stopped_at
        AND tick.at >= greatest(session.opened_at, stop.stopped_at - interval '5 minutes')
        AND tick.viewers IS NOT NULL
        AND tick.live IS NOT FALSE
    ORDER BY tick.at DESC
    LIMIT 1
) AS before ON true
WHERE stop.outcome IN ('resumed', 'lost');
COMMENT ON VIEW drop_log IS
    'Stops that were resumed or lost (断流). The last stop of a session that closed for another reason is no drop; a stop '
    'that still lasts is not judged yet and is in room_now alone. Source: session_change.';
COMMENT ON COLUMN drop_log.dropped_at IS 'When the stream stopped, as the feed told it.';
COMMENT ON COLUMN drop_log.back_at IS 'When the room was on air again: resumed, or, of a lost stop, its next session; NULL: not yet.';
COMMENT ON COLUMN drop_log.down_s IS
    'Seconds off air that count: until back; of a lost stop until back or the planned end, whichever was first, else until '
    'now; NULL: lost without a plan and not back, so nobody can say.';
COMMENT ON COLUMN drop_log.viewers_before IS 'The last number of viewers in the 5 minutes before the stop; NULL: not reported.';
COMMENT ON COLUMN drop_log.outcome IS 'resumed, or lost (断流未恢复: grace ran out while the room should have been on air).';
COMMENT ON COLUMN drop_log.cause IS 'The evidence: event, status, absent, stall, failed.';
COMMENT ON COLUMN drop_log.contact IS 'Whom to call: an id of the contacts, never a number.';
