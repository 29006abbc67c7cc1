SELECT ensure_minute_day($1)
