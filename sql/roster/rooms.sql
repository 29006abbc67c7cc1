-- All rooms that ever were in the roster, in the order of facts.RosterRoom.
SELECT room_id, platform, external_id, anchor, broadcaster, hall, city, category, tier, fans, shop, account, contact,
    notes, active
FROM room
ORDER BY room_id;
