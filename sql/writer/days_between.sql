-- The days of the event's zone from one instant to another.
SELECT day::date AS day FROM generate_series(event_date($1)::timestamp, event_date($2)::timestamp, interval '1 day') AS days (day)
