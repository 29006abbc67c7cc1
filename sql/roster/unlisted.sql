-- A room that feed $1 saw as $2 and that the roster lacks, with the feed's hall.
SELECT u.platform, coalesce(f.hall, '') AS hall
FROM room_unlisted AS u LEFT JOIN feed AS f USING (feed)
WHERE u.feed = $1 AND u.external_id = $2;
