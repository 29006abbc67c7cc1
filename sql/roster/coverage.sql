-- Which feed sees what of each room, or why none does, in the order of coverage.Covered.
SELECT platform, external_id, anchor, hall, live_by, viewers_by, sales_by, coalesce(why, '') AS why
FROM room_coverage
ORDER BY platform, external_id;
