-- Which order feeds have brought sales of a shop: room_coverage looks up each pair once. Few distinct keys, so it is small.
CREATE INDEX sale_shop_feed ON sale (shop, feed, platform);
