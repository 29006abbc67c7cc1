-- The one rule by which a sale belongs to a session: the latest one opened in its room by then, if it was still open.
-- Returns a table and not a value so that the planner writes it into the statement that asks for many sales at once.
CREATE OR REPLACE FUNCTION session_at(of_room int, instant timestamptz) RETURNS TABLE (session_id uuid)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 AS $$
    SELECT latest.session_id
    FROM (
        SELECT session.session_id, session.closed_at
        FROM livemon.session
        WHERE session.room_id = of_room AND session.opened_at <= instant
        ORDER BY session.opened_at DESC
        LIMIT 1
    ) AS latest
    WHERE latest.closed_at IS NULL OR instant < latest.closed_at
$$;
COMMENT ON FUNCTION session_at(int, timestamptz) IS
    'The session (场次) that was open in this room at this instant: opened_at <= instant < closed_at. No row: none was.';
