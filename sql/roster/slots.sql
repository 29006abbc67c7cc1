-- All planned broadcasts, in the order of facts.Slot.
SELECT room_id, starts_at, ends_at FROM schedule ORDER BY room_id, starts_at;
