-- The roster as it is now, retired rooms too; it has no window. 名册。
SELECT
    room_id, platform, external_id, anchor, broadcaster, hall, city, category, tier, fans, shop, contact, active
FROM room
ORDER BY platform, external_id
