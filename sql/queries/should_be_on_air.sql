-- Rooms inside their schedule that are not live now, with whom to call. 应播未播的直播间。
-- Blind and unwatched rooms are listed too: of those nobody knows.
SELECT state_zh, state, since, hall, anchor, platform, external_id, contact, slot_starts_at, slot_ends_at
FROM room_now
WHERE expected AND state <> 'live'
ORDER BY state_code DESC, hall, anchor
