-- Rooms inside their schedule that are not live now, with whom to call. 应播未播的直播间（此刻）。
-- Blind and unwatched rooms are listed too: of those nobody knows. By hall and in numbers: plan_now.sql.
SELECT
    state_zh AS "状态 State", since AS "自 Since", hall AS "场馆 Hall", anchor AS "主播 Anchor", platform AS "平台 Platform",
    external_id AS "直播间 Room", contact AS "联系人 Contact", slot_starts_at AS "计划开始 Planned from",
    slot_ends_at AS "计划结束 Planned until"
FROM room_now
WHERE expected AND state <> 'live'
ORDER BY state_code DESC, hall, anchor
