SELECT purpose, timezone, event_currency::text AS currency FROM setting
