-- How many rows of which kind came with which reason; $1 states, $2 kind, $3 feed, $4 a part of the reason.
SELECT kind, reason, count(*)::int AS rows FROM quarantine
WHERE state = ANY ($1::text[]) AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR feed = $3)
    AND ($4::text IS NULL OR strpos(reason, $4) > 0)
GROUP BY kind, reason ORDER BY rows DESC, kind, reason
