-- Drops that began between $1 and $2.
SELECT
    coalesce(platform, '') AS platform, coalesce(external_id, '') AS external_id, coalesce(anchor, '') AS anchor,
    coalesce(hall, '') AS hall, dropped_at AS at, down_s, viewers_before, outcome, cause
FROM drop_log
WHERE dropped_at >= $1::timestamptz AND dropped_at < $2::timestamptz
ORDER BY dropped_at
