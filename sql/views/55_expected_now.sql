-- The schedule against reality: of each room that should be on air now, whether it is.
CREATE OR REPLACE VIEW expected_now AS
SELECT
    told.room_id, told.platform, told.external_id, told.anchor, told.broadcaster, told.hall, told.contact,
    told.starts_at, told.ends_at,
    word.verdict, word.verdict_zh,
    CASE
        WHEN word.verdict IN ('late', 'missing') THEN told.starts_at
        WHEN word.verdict = 'ended_early' THEN told.last_closed_at
        ELSE told.since
    END AS since,
    CASE
        WHEN word.verdict IN ('late', 'missing') THEN round(extract(epoch FROM now() - told.starts_at), 3)
        WHEN told.first_opened_at IS NOT NULL -- greatest() skips NULL
            THEN round(extract(epoch FROM greatest(told.first_opened_at - told.starts_at, interval '0')), 3)
    END AS late_s
FROM (
    SELECT
        now.room_id, now.platform, now.external_id, now.anchor, room.broadcaster, now.hall, now.contact,
        now.slot_starts_at AS starts_at, now.slot_ends_at AS ends_at, now.state, now.since,
        held.first_opened_at, held.last_closed_at
    FROM room_now AS now
    JOIN room ON room.room_id = now.room_id
    LEFT JOIN LATERAL (
        SELECT min(session.opened_at) AS first_opened_at, max(session.closed_at) AS last_closed_at
        FROM session
        WHERE session.room_id = now.room_id AND session.opened_at <= now()
            AND (session.closed_at IS NULL OR session.closed_at > now.slot_starts_at)
    ) AS held ON true
    WHERE now.expected
) AS told
JOIN (
    VALUES ('live', '直播中'), ('late', '迟到'), ('missing', '应播未播'), ('ended_early', '提前下播'), ('dropped', '断流'),
        ('lost', '断流未恢复'), ('unseen', '看不见')
) AS word (verdict, verdict_zh) ON word.verdict = CASE
    WHEN told.state IN ('live', 'dropped', 'lost') THEN told.state
    WHEN told.state IN ('blind', 'unwatched') THEN 'unseen'
    WHEN told.first_opened_at IS NOT NULL THEN 'ended_early'
    WHEN told.starts_at > now() - interval '15 minutes' THEN 'late'
    ELSE 'missing'
END;

COMMENT ON VIEW expected_now IS
    'One row per active room inside its schedule now (应播), and whether it is on air. Sources: schedule, room_now, session.';
COMMENT ON COLUMN expected_now.starts_at IS 'The slot of the schedule that is on.';
COMMENT ON COLUMN expected_now.verdict IS
    'live 直播中; late 迟到: not begun, less than 15 minutes after the plan; missing 应播未播: not begun, longer; ended_early 提前下播: '
    'was on air in this slot and closed; dropped 断流; lost 断流未恢复; unseen 看不见: blind or unwatched, so nobody knows.';
COMMENT ON COLUMN expected_now.verdict_zh IS 'The same in Chinese.';
COMMENT ON COLUMN expected_now.since IS 'Since when: of late and missing the planned beginning, of ended_early the close, else as in room_now.';
COMMENT ON COLUMN expected_now.late_s IS
    'Seconds after the planned beginning: until now while it has not begun, else until it was on air (0: in time); NULL: nobody knows.';
COMMENT ON COLUMN expected_now.contact IS 'Whom to call: an id of the contacts, never a number.';
