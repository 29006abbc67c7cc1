-- Authorisations that are refused, and whom to call about them; $1 of them at most. `total` counts all.
SELECT platform, coalesce(nullif(shop, ''), anchor) AS shop, name, contact, reason, count(*) OVER ()::int AS total
FROM account WHERE state = 'refused' ORDER BY platform, shop LIMIT $1
