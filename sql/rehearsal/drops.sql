-- The drops of a rehearsal.
SELECT room_id, dropped_at, back_at, outcome, cause FROM drop_log WHERE dropped_at >= $1 ORDER BY room_id, dropped_at
