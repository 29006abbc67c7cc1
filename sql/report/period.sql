-- The instants at which the days $1 to $2 begin and end, and those between which the event counts in them.
SELECT
    whole.starts_at,
    whole.ends_at,
    least(greatest(whole.starts_at, setting.event_starts_at), whole.ends_at) AS from_at,
    greatest(least(whole.ends_at, setting.event_ends_at), whole.starts_at) AS to_at
FROM setting
CROSS JOIN LATERAL (
    SELECT
        $1::date::timestamp AT TIME ZONE setting.timezone AS starts_at,
        ($2::date + 1)::timestamp AT TIME ZONE setting.timezone AS ends_at
) AS whole
