-- The event's window bounds every total; it follows the config.
UPDATE setting SET event_name = $1, event_starts_at = $2, event_ends_at = $3
WHERE (event_name, event_starts_at, event_ends_at) IS DISTINCT FROM ($1, $2, $3)
