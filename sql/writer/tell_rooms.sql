-- The same fact again, and this time it says in which room: a push that did not, then the poll that does.
UPDATE sale SET room = told.room, attributed_at = NULL
FROM (
    SELECT DISTINCT ON (platform, event_id) platform, event_id, room
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS t (platform, event_id, room, place)
    ORDER BY platform, event_id, place
) AS told
WHERE sale.platform = told.platform AND sale.event_id = told.event_id AND sale.room IS NULL
