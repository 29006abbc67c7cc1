SELECT purpose, timezone, event_currency AS currency FROM livemon.setting
