-- The window of the event, as boards see it; NULL: open.
SELECT event_starts_at, event_ends_at FROM setting
