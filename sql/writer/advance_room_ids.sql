-- No id is given twice, though the sequence came back from a backup. It only ever moves forward: an import may run now.
SELECT setval(sequence, newest)
FROM (SELECT pg_get_serial_sequence('livemon.room', 'room_id')::regclass AS sequence, max(room_id) AS newest FROM room) AS ours
WHERE newest > coalesce(pg_sequence_last_value(sequence), 0)
