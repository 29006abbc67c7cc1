-- What shops and anchors let us do, and what is missing: whom to call. The rules of `state` are those of
-- monitor/accounts/account.py.
CREATE OR REPLACE VIEW account AS
WITH wanted AS (
    -- Shops of the roster on platforms where there are accounts: an application is configured, or some are known.
    SELECT room.platform, coalesce(nullif(room.account, ''), room.shop) AS id, min(nullif(room.contact, '')) AS contact
    FROM room
    WHERE room.active AND coalesce(nullif(room.account, ''), room.shop) <> ''
        AND room.platform IN (
            SELECT app.platform FROM app WHERE app.configured
            UNION
            SELECT account_state.platform FROM account_state WHERE NOT account_state.gone
        )
    GROUP BY 1, 2
),
kept AS (
    SELECT * FROM account_state WHERE NOT gone
),
only_app AS (
    SELECT platform, min(app) AS app FROM app WHERE configured GROUP BY platform HAVING count(*) = 1
)
SELECT
    kept.platform, kept.shop, kept.anchor,
    CASE
        WHEN kept.refused <> '' THEN 'refused'
        WHEN NOT kept.granted THEN 'missing'
        WHEN kept.lapses_at - now() < interval '3 days' OR kept.access_until - now() < interval '10 minutes' THEN 'expiring'
        ELSE 'ok'
    END AS state,
    kept.lapses_at AS expires_at,
    kept.refreshed_at,
    kept.app, kept.name,
    coalesce(nullif(kept.contact, ''), wanted.contact, '') AS contact,
    CASE WHEN kept.refused <> '' THEN kept.refused WHEN NOT kept.granted THEN 'not linked yet' ELSE '' END AS reason,
    kept.access_until
FROM kept
LEFT JOIN wanted ON wanted.platform = kept.platform AND wanted.id = coalesce(nullif(kept.shop, ''), kept.anchor)
UNION ALL
SELECT
    wanted.platform, wanted.id, '', 'missing', NULL, NULL,
    coalesce(only_app.app, ''), '', coalesce(wanted.contact, ''), 'in the roster, and never linked', NULL
FROM wanted
LEFT JOIN only_app USING (platform)
WHERE NOT EXISTS (SELECT FROM kept WHERE kept.platform = wanted.platform AND kept.shop = wanted.id)
    AND NOT EXISTS (SELECT FROM kept WHERE kept.platform = wanted.platform AND kept.anchor = wanted.id);

COMMENT ON VIEW account IS
    'Authorisations (授权) of shops and anchors, one row each, and the shops of the roster that have none; never a token.';
COMMENT ON COLUMN account.state IS
    'ok; expiring: a person must link again within 3 days, or its token ends in 10 minutes and was not refreshed; refused: '
    'it will not have us until it is linked again; missing: nothing is granted.';
COMMENT ON COLUMN account.expires_at IS 'When a person must link again at the latest. NULL: never, or nothing is granted.';
COMMENT ON COLUMN account.refreshed_at IS 'When its tokens came.';
COMMENT ON COLUMN account.contact IS 'Whom to call: as it was imported, else that of a room of this shop in the roster.';
COMMENT ON COLUMN account.reason IS 'Why it is refused or missing.';
COMMENT ON COLUMN account.access_until IS 'When the present access token ends; it is refreshed before that.';
