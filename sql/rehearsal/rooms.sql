-- The roster of a rehearsal, for the comparison of truth and database.
SELECT room_id, platform, external_id FROM room
