-- When a day of the event begins, for whoever limits a question to days.
CREATE OR REPLACE FUNCTION day_starts_at(day date) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT day::timestamp AT TIME ZONE (SELECT timezone FROM livemon.setting) $$;
COMMENT ON FUNCTION day_starts_at(date) IS
    'The first instant of this day in the event''s zone, whatever the zone of the connection. A day is at >= '
    'day_starts_at(day) AND at < day_starts_at(day + 1). A constant of the statement: indexes and pruning follow it.';
