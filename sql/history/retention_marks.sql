SELECT count(*)::int FROM livemon.minute_touched WHERE minute <= $2 AND coalesce(until, minute) >= $1
