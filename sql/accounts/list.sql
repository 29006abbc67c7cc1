-- Accounts in these states, of this platform or (NULL) of all; the worst first, then by whom to call.
SELECT platform, shop, anchor, app, name, state, contact, reason, expires_at, refreshed_at
FROM account
WHERE state = ANY ($1::text[]) AND ($2::text IS NULL OR platform = $2)
ORDER BY array_position(ARRAY['refused', 'missing', 'expiring', 'ok'], state), platform, contact, shop, anchor
