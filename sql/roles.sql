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
ALTER ROLE livemon_reader SET default_transaction_read_only = on;
ALTER ROLE livemon_hall SET default_transaction_read_only = on;
ALTER ROLE livemon_reader SET statement_timeout = '30s';
ALTER ROLE livemon_hall SET statement_timeout = '30s';
