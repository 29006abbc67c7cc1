-- From this commit on the minutes of the day stand still (trigger minute_kept).
INSERT INTO livemon.day_pruned (relation, day, from_at, to_at, by_whom) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (relation, day) DO UPDATE SET pruned_at = NULL, by_whom = excluded.by_whom, decided_at = now()
