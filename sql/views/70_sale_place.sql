-- Where each sale counts: its room's city and hall, or those on which the roster rows of its shop agree.

-- Not granted to readers: what the active rows of one shop say in common. A row that leaves it open does not agree.
CREATE OR REPLACE VIEW shop_place AS
SELECT
    platform, shop,
    CASE WHEN min(city) = max(city) THEN nullif(min(city), '') END AS city,
    CASE WHEN min(hall) = max(hall) THEN nullif(min(hall), '') END AS hall
FROM room
WHERE active AND shop <> ''
GROUP BY GROUPING SETS ((platform, shop), (shop));
COMMENT ON VIEW shop_place IS
    'Per shop (店铺): the city and the hall on which all its active rooms agree; platform NULL: over all platforms.';

CREATE OR REPLACE VIEW sale_place AS
SELECT
    sale.platform, sale.event_id, sale.at, sale.received_at, sale.kind, sale.shop, sale.order_id, sale.amount_minor,
    sale.currency, sale.units, sale.room_id, sale.session_id,
    CASE WHEN sale.room_id IS NOT NULL THEN nullif(room.city, '') ELSE place.city END AS city,
    CASE WHEN sale.room_id IS NOT NULL THEN nullif(room.hall, '') ELSE place.hall END AS hall,
    CASE WHEN sale.room_id IS NOT NULL THEN 'room' WHEN coalesce(place.city, place.hall) IS NOT NULL THEN 'shop' END AS placed_by,
    sale.first_of_order
FROM sale_counted AS sale
LEFT JOIN room ON room.room_id = sale.room_id
-- Rooms of the platform itself speak for its shops; where it has none, as for rooms on own servers, all rooms do.
LEFT JOIN shop_place AS own ON own.platform = sale.platform AND own.shop = sale.shop
LEFT JOIN shop_place AS any_platform ON any_platform.platform IS NULL AND any_platform.shop = sale.shop
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN own.shop IS NOT NULL THEN own.city ELSE any_platform.city END AS city,
        CASE WHEN own.shop IS NOT NULL THEN own.hall ELSE any_platform.hall END AS hall
) AS place;
COMMENT ON VIEW sale_place IS
    'One row per sale with the city and the hall for which it counts. A sale of no known room counts for those on which '
    'all active roster rows of its shop agree. Limit "at". Sources: sale, room.';
COMMENT ON COLUMN sale_place.city IS 'The city of its room, else of its shop where all its rooms agree; NULL: nobody knows, so it is not guessed.';
COMMENT ON COLUMN sale_place.hall IS 'The hall (场馆), found in the same way as the city and apart from it.';
COMMENT ON COLUMN sale_place.placed_by IS 'room: its room is known; shop: only its shop is; NULL: it counts for its platform and shop alone.';
COMMENT ON COLUMN sale_place.first_of_order IS 'Whether an order counts here: no row of this kind of the same order is earlier on its day.';
