-- For a spool that is new: the sessions that were open, and how far each had come.
SELECT room.platform, room.external_id, session.opened_at, last.number, last.change, last.at
FROM session
JOIN room USING (room_id)
JOIN LATERAL (
    SELECT number, change, at FROM session_change WHERE session_id = session.session_id ORDER BY number DESC LIMIT 1
) AS last ON true
WHERE session.closed_at IS NULL
