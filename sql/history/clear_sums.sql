DELETE FROM minute_sum WHERE minute = $1 AND platform = $2
