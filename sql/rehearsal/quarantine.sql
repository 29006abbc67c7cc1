-- What was set aside in a rehearsal.
SELECT quarantine_id, received_at, feed, kind, reason FROM quarantine WHERE received_at >= $1 ORDER BY quarantine_id
