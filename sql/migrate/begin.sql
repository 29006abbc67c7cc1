-- One runner at a time, until the end of the transaction; nobody queues behind one that cannot have its tables.
SET LOCAL search_path = livemon, pg_temp;
SET LOCAL lock_timeout = '60s';
SELECT pg_advisory_xact_lock(hashtext('livemon.migrate'));
