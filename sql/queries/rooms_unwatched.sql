-- Rooms that no feed can see, and why. 无数据源的直播间。
SELECT platform, external_id, anchor, hall, why, why_zh
FROM room_coverage
WHERE cardinality(live_by) = 0
ORDER BY hall, platform, external_id
