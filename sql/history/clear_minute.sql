DELETE FROM session_minute WHERE minute = $1 AND platform = $2
