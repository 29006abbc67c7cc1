-- Rooms that no feed can see, and why, now. 无数据源的直播间（此刻）。
SELECT
    platform AS "平台 Platform", external_id AS "直播间 Room", anchor AS "主播 Anchor", hall AS "场馆 Hall",
    why_zh AS "原因 Why in Chinese", why AS "原因 Why"
FROM room_coverage
WHERE cardinality(live_by) = 0
ORDER BY hall, platform, external_id
