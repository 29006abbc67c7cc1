SELECT anchor, platform, hall, external_id, «why_zh|why» AS why, room_id
FROM room_coverage
WHERE live_by = '{}'
ORDER BY platform, hall, anchor, external_id
LIMIT 200
