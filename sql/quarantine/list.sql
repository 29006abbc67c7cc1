-- The newest rows kept for a person; $1 states, $2 kind, $3 feed, $4 a part of the reason (NULL: any), $5 how many.
SELECT quarantine_id, received_at, feed, kind, state, reason, sample FROM quarantine
WHERE state = ANY ($1::text[]) AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR feed = $3)
    AND ($4::text IS NULL OR strpos(reason, $4) > 0)
ORDER BY quarantine_id DESC LIMIT $5
