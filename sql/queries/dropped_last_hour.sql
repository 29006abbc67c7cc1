-- What dropped in the last hour, the newest first. 最近一小时的断流。
SELECT dropped_at, back_at, down_s, outcome, cause, viewers_before, hall, anchor, platform, external_id, contact, session_id
FROM drop_log
WHERE dropped_at > now() - interval '1 hour'
ORDER BY dropped_at DESC
