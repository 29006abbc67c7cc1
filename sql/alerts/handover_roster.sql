-- Changes of the roster since $1, oldest first; $2 of them at most.
SELECT at, by_whom, action, source, added, changed, retired FROM roster_change
WHERE at >= $1 ORDER BY roster_change_id LIMIT $2
