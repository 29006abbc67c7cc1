-- The stops that were resumed or lost, by when they began. 断流。
SELECT * FROM drop_log
WHERE dropped_at >= coalesce($1::timestamptz, '-infinity') AND dropped_at < coalesce($2::timestamptz, 'infinity')
ORDER BY dropped_at, session_id
