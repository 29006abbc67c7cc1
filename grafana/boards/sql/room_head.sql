SELECT
  room.anchor, stands.state_code, stands.since, room.platform, room.external_id, room.hall, room.city, room.category, room.tier,
  room.shop, room.contact, stands.viewers, stands.kbps, stands.slot_starts_at, stands.slot_ends_at, stands.last_tick_at,
  CASE
    WHEN NOT room.active THEN '«已移出名册|left the roster»'
    WHEN stands.state_code IN (3, 5) THEN (SELECT «why_zh|why» FROM room_coverage WHERE room_coverage.room_id = room.room_id)
    WHEN '${session}' = '' THEN '«所选时段内没有场次|no session in this span of time»'
  END AS remark,
  coalesce(nullif(regexp_replace(room.hall, '[]"[''\\^$.|?*+(){}`]', '.', 'g'), ''), '.*') AS hall_pattern
FROM room
LEFT JOIN room_now AS stands ON stands.room_id = room.room_id
WHERE room.room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int
