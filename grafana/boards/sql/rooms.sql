-- Searched on the server, as there are more rooms than a list may have. Grafana puts a % behind what was typed, which is taken
-- as it is: a pattern would mind some characters of ids.
SELECT concat_ws(' · ', nullif(anchor, ''), platform, external_id) AS __text, room_id::text AS __value
FROM room
WHERE strpos(lower(concat_ws(' · ', anchor, hall, platform, external_id)), lower(left('$__searchFilter', -1))) > 0
ORDER BY active DESC, tier NULLS LAST, anchor, room_id
LIMIT 500
