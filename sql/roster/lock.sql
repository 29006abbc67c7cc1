-- Changes of roster and schedule take turns; held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('livemon.roster'));
