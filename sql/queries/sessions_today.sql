-- The sessions that opened today, by the event's own day. 今天的场次。
SELECT
    opened_at, closed_at, close_reason, hall, anchor, platform, external_id, peak_viewers, average_viewers, watch_hours,
    round(airtime_s / 60) AS airtime_minutes, drops, down_s, blind_s, orders, gmv, refunds, net, currency, session_id
FROM session_summary
WHERE opened_at >= (SELECT date_trunc('day', now(), timezone) FROM setting)
ORDER BY opened_at
