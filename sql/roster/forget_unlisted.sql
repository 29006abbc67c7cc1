-- A room that is listed now is no longer one that the roster lacks.
DELETE FROM room_unlisted AS u USING room AS r
WHERE r.active AND r.platform = u.platform AND r.external_id = u.external_id;
