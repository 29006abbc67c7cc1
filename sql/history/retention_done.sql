UPDATE livemon.day_pruned SET rows = rows + $3, bytes = bytes + $4, pruned_at = now() WHERE relation = $1 AND day = $2
