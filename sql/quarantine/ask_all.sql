-- All rows that are kept, of a kind ($1), a feed ($2), with this in their reason ($3; NULL: any), shall be tried again.
UPDATE quarantine SET state = 'retry'
WHERE state = 'kept' AND ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR feed = $2)
    AND ($3::text IS NULL OR strpos(reason, $3) > 0)
