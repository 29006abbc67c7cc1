DELETE FROM session_hour WHERE hour = $1 AND platform = $2
