SELECT ensure_tick_day($1)
