-- The twenty rooms with the most blind time of the day: how far their figures can be trusted. 当天看不见时间最长的直播间。
-- Blind time inside sessions. It says nothing about the room; what happened in it is missing from viewers and watch hours.
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
)
SELECT
    round(room_day.blind_s / 60, 1) AS "看不见分钟 Blind minutes",
    round(room_day.air_s / 60, 1) AS "直播分钟 Airtime minutes",
    round(100 * room_day.blind_s / nullif(room_day.air_s, 0), 1) AS "看不见占比% Blind share",
    round(room_day.measured_s / 60, 1) AS "有人数分钟 Measured minutes",
    room_day.anchor AS "主播 Anchor", room_day.platform AS "平台 Platform", room_day.external_id AS "直播间 Room",
    room_day.hall AS "场馆 Hall", room_day.sessions AS "场次 Sessions"
FROM asked
JOIN room_day ON room_day.day = asked.day
WHERE room_day.blind_s > 0
ORDER BY room_day.blind_s DESC, room_day.platform, room_day.external_id
LIMIT 20
