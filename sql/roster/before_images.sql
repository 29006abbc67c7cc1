-- The rooms of change $1 as they stood before it (JSON; NULL: not at all).
SELECT room_id, before::text AS before FROM roster_change_room WHERE roster_change_id = $1;
