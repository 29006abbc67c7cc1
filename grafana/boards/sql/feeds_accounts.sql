SELECT
  platform, coalesce(nullif(shop, ''), anchor) AS account, name,
  CASE state WHEN 'refused' THEN 1 WHEN 'expiring' THEN 2 ELSE 3 END AS state_code, expires_at, refreshed_at, reason, contact
FROM account
WHERE state <> 'ok'
ORDER BY state_code, expires_at NULLS LAST, platform, account
LIMIT 200
