-- Only `closed` sets the end. Said twice it is the same.
UPDATE session SET closed_at = told.at, close_reason = told.reason
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS told (session_id, at, reason)
WHERE session.session_id = told.session_id
