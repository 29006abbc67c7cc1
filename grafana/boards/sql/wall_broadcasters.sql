-- A person counts once in all their rooms; a room of nobody that is known counts for itself.
WITH clock AS MATERIALIZED (
  {{wall_minute}}
), told AS (
  SELECT
    count(DISTINCT person) FILTER (WHERE minute = this_minute) AS number,
    count(DISTINCT person) FILTER (WHERE minute = that_minute) AS before
  FROM (
    SELECT seen.minute, coalesce(nullif(room.broadcaster, ''), room.room_id::text) AS person
    FROM room_minute AS seen
    JOIN room ON room.room_id = seen.room_id
    WHERE seen.minute IN ((SELECT this_minute FROM clock), (SELECT that_minute FROM clock)) AND seen.air_s > seen.blind_s
  ) AS seen
  CROSS JOIN clock
)
SELECT now() AS time, {{of_minute}} || {{change}} AS metric, number AS value
FROM told
CROSS JOIN clock
WHERE this_minute IS NOT NULL
