-- Gives livemon's roles the passwords of the secrets. Run by PostgreSQL's image once, after sql/roles.sql.
\set password `cat /run/secrets/db_owner`
ALTER ROLE livemon_owner PASSWORD :'password';
\set password `cat /run/secrets/db_writer`
ALTER ROLE livemon_writer PASSWORD :'password';
\set password `cat /run/secrets/db_reader`
ALTER ROLE livemon_reader PASSWORD :'password';
\set password `cat /run/secrets/db_hall`
ALTER ROLE livemon_hall PASSWORD :'password';
\unset password
