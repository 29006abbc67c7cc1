-- Each room is judged once, and then counted: counted at once it would be judged anew for each column.
WITH judged AS MATERIALIZED (
  SELECT hall, CASE WHEN hall = '' THEN platform ELSE '' END AS platform, state_code, expected FROM room_now
), summed AS (
  SELECT
    hall, platform,
    count(*) FILTER (WHERE state_code = 4) AS lost, count(*) FILTER (WHERE state_code = 2) AS dropped,
    count(*) FILTER (WHERE state_code = 0 AND expected) AS not_started, count(*) FILTER (WHERE state_code = 3) AS blind,
    count(*) FILTER (WHERE state_code = 5) AS unwatched, count(*) FILTER (WHERE state_code = 1) AS live,
    count(*) FILTER (WHERE expected) AS expected, count(*) AS rooms
  FROM judged
  GROUP BY hall, platform
)
SELECT
  coalesce(nullif(hall, ''), '«无场馆|no hall»') AS hall, platform, lost, dropped, not_started, blind, unwatched, live, expected, rooms,
  coalesce(nullif(regexp_replace(hall, '[]"[''\\^$.|?*+(){}`]', '.', 'g'), ''), '.*') AS hall_pattern
FROM summed
ORDER BY lost + dropped DESC, blind DESC, not_started DESC, unwatched DESC, summed.hall, platform
LIMIT 500
