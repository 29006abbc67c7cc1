-- Broadcasters scheduled that day, and who of them came: every slot that has begun, the absent first. 当天排期与缺席的主播。
-- absent: no session touched the slot although the room was seen all the time. unknown: none did, but for some of the time
-- no feed that tells this room's state covered it, or one of them was blind: nobody can say. 看不见期间不能断定缺席。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT day_starts_at(day) AS from_at, least(day_starts_at(day + 1), now()) AS to_at FROM asked
), slot AS (
    SELECT
        schedule.room_id, schedule.starts_at, schedule.ends_at,
        tstzrange(schedule.starts_at, least(schedule.ends_at, now())) AS passed
    FROM schedule
    WHERE schedule.starts_at >= (SELECT from_at FROM span) AND schedule.starts_at < (SELECT to_at FROM span)
), told AS MATERIALIZED (
    SELECT room_id, live_by FROM room_coverage -- once for all rooms
)
SELECT
    CASE
        WHEN came.begins_at IS NOT NULL THEN '已开播 came'
        WHEN isempty(unseen.spans) THEN '缺席 absent'
        ELSE '不详 unknown'
    END AS "结论 Verdict",
    coalesce(nullif(room.broadcaster, ''), room.anchor) AS "主播 Broadcaster", room.hall AS "场馆 Hall",
    room.platform AS "平台 Platform", room.external_id AS "直播间 Room", room.contact AS "联系人 Contact",
    slot.starts_at AS "计划开始 Planned from", slot.ends_at AS "计划结束 Planned until",
    came.begins_at AS "实际开播 On air from",
    round(extract(epoch FROM came.begins_at - slot.starts_at) / 60) AS "迟到分钟 Late minutes",
    round(100 * came.covered_s / extract(epoch FROM upper(slot.passed) - lower(slot.passed))) AS "排期内直播% Of the slot so far"
FROM slot
JOIN room ON room.room_id = slot.room_id
CROSS JOIN LATERAL (
    SELECT
        min(greatest(session.opened_at, slot.starts_at)) AS begins_at,
        coalesce(sum(extract(epoch FROM least(coalesce(session.closed_at, now()), upper(slot.passed))
            - greatest(session.opened_at, slot.starts_at))), 0) AS covered_s
    FROM session
    WHERE session.room_id = slot.room_id AND session.opened_at < upper(slot.passed)
        AND (session.closed_at IS NULL OR session.closed_at > slot.starts_at)
) AS came
LEFT JOIN told ON told.room_id = slot.room_id AND came.begins_at IS NULL
CROSS JOIN LATERAL (
    -- What no feed covered, and what any of those that did could not see: more than was truly unseen, never less.
    SELECT
        tstzmultirange(slot.passed) - coalesce(range_agg(slot.passed * covered.span), '{}')
            + coalesce(range_agg(slot.passed * covered.shut) FILTER (WHERE covered.was_shut), '{}') AS spans
    FROM (
        SELECT
            blind.feed IS NOT NULL AS was_shut,
            tstzrange(eye.from_at, CASE WHEN eye.to_at IS NOT NULL THEN greatest(eye.to_at, eye.from_at) END) AS span,
            tstzrange(blind.from_at, CASE WHEN blind.to_at IS NOT NULL THEN greatest(blind.to_at, blind.from_at) END) AS shut
        FROM feed_room AS eye
        LEFT JOIN blind ON blind.feed = eye.feed AND (blind.room_id IS NULL OR blind.room_id = eye.room_id)
            AND blind.from_at < upper(slot.passed) AND (blind.to_at IS NULL OR blind.to_at > slot.starts_at)
        WHERE eye.room_id = slot.room_id AND eye.feed = ANY (told.live_by) AND eye.from_at < upper(slot.passed)
    ) AS covered
) AS unseen
ORDER BY came.begins_at IS NOT NULL, came.begins_at IS NULL AND NOT isempty(unseen.spans), slot.starts_at,
    room.hall, room.anchor, room.external_id
