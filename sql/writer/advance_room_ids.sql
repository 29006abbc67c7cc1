-- No id is given twice, though the sequence came back from a backup.
SELECT setval(pg_get_serial_sequence('livemon.room', 'room_id'), greatest(max(room_id), 1)) FROM room
