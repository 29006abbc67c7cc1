-- Roles and schema, for an administrator of the server: once per database, before `livemon migrate`.
--   psql -d livemon -f sql/roles.sql
-- Then give livemon_owner, livemon_writer and the logins of readers a password each (\password livemon_writer).
-- No role is superuser, none may create roles or databases; only livemon_owner may create anything, in one schema.

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['livemon_owner', 'livemon_writer', 'livemon_reader', 'livemon_hall'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT', role_name);
        END IF;
    END LOOP;
END
$$;

-- `livemon sql` without a reader login of its own: the writer's login, SET ROLE livemon_reader, READ ONLY.
GRANT livemon_reader TO livemon_writer;

CREATE SCHEMA IF NOT EXISTS livemon AUTHORIZATION livemon_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

ALTER ROLE livemon_owner SET search_path = livemon;
ALTER ROLE livemon_writer SET search_path = livemon;
ALTER ROLE livemon_reader SET search_path = livemon;
ALTER ROLE livemon_hall SET search_path = livemon;

-- Limits of those who read. A session may change most settings of its own: these are for whoever means well. What holds for
-- everybody is the number of connections, all that is under `super` below, and that the service ends what goes on for
-- five minutes (monitor/reader_limits.py).
DO $$
DECLARE
    role_name text;
    super boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
    not_for_readers text := (
        -- Advisory locks, for which migrations and the making of days wait; large objects, with all that writes them; and
        -- what writes into the server's log without a table.
        SELECT string_agg(oid::regprocedure::text, ', ') FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace
            AND proname ~ '^(pg_(try_)?advisory_(xact_)?lock(_shared)?|lo_(creat|create|from_bytea|put)|lowrite'
                '|pg_logical_emit_message)$'
    );
BEGIN
    FOREACH role_name IN ARRAY ARRAY['livemon_reader', 'livemon_hall'] LOOP
        EXECUTE format('ALTER ROLE %I CONNECTION LIMIT 16', role_name);
        EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', role_name);
        EXECUTE format('ALTER ROLE %I SET statement_timeout = ''30s''', role_name);
        EXECUTE format('ALTER ROLE %I SET lock_timeout = ''5s''', role_name);
        -- Whoever sleeps inside a transaction holds back vacuum, and stops a migration.
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''60s''', role_name);
        -- One question, one core; and boards ask what is answered before a compiler would have paid for itself.
        EXECUTE format('ALTER ROLE %I SET max_parallel_workers_per_gather = 0', role_name);
        EXECUTE format('ALTER ROLE %I SET jit = off', role_name);
        EXECUTE format('ALTER ROLE %I SET work_mem = ''16MB''', role_name);
        IF super THEN -- the one that no session can change
            EXECUTE format('ALTER ROLE %I SET temp_file_limit = ''2GB''', role_name);
        END IF;
    END LOOP;
    -- The service ends sessions of readers that go on for too long: for that it must be able to act as they.
    GRANT livemon_hall TO livemon_writer;
    IF super THEN
        -- With tables of its own or large objects a reader could fill the disk, with advisory locks stop the service.
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', not_for_readers);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO livemon_owner, livemon_writer', not_for_readers);
    ELSE
        RAISE NOTICE 'no superuser: readers keep temporary tables, large objects and advisory locks';
    END IF;
END
$$;
