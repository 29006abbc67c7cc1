-- The sessions that opened in the window, one row each. 场次。
SELECT * FROM session_summary
WHERE opened_at >= coalesce($1::timestamptz, '-infinity') AND opened_at < coalesce($2::timestamptz, 'infinity')
ORDER BY opened_at, session_id
