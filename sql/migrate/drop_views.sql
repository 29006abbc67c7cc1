-- All views of ours in one statement, so that their order does not matter, and without CASCADE: a view that a person
-- built on top of ours must stop the migration and be named, not vanish.
DO $$
DECLARE
    ours text := (
        SELECT string_agg(format('livemon.%I', relname), ', ')
        FROM pg_class
        WHERE relnamespace = 'livemon'::regnamespace AND relkind = 'v' AND relowner = 'livemon_owner'::regrole
    );
BEGIN
    IF ours IS NOT NULL THEN
        EXECUTE 'DROP VIEW ' || ours;
    END IF;
END
$$;
