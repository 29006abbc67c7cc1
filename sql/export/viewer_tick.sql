-- Every observation of every room; in no order: a day of them is not sorted. 采样。
SELECT at, room_id, live, viewers, views_total, likes_total, kbps FROM viewer_tick
WHERE at >= coalesce($1::timestamptz, '-infinity') AND at < coalesce($2::timestamptz, 'infinity')
