-- A name, or a fixed offset in the words of POSIX (monitor/zone.py), which every PostgreSQL understands.
SELECT $1 ~ '^<[+-]\d\d:\d\d>[+-]\d\d:\d\d$' OR EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)
