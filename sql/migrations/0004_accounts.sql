-- What shops and anchors let our applications do on their platforms: how it stands, never a token.

-- Our applications on platforms whose open interface we know, as configured.
CREATE TABLE app (
    app text PRIMARY KEY,
    platform text NOT NULL,
    configured boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The newest that was told of each account. One that is gone stays, so that older news cannot bring it back.
CREATE TABLE account_state (
    app text NOT NULL,
    shop text NOT NULL, -- ids of the platform; empty where there is none
    anchor text NOT NULL,
    platform text NOT NULL,
    name text NOT NULL,
    contact text NOT NULL,
    at timestamptz NOT NULL, -- when this was so
    granted boolean NOT NULL, -- there are tokens
    refused text NOT NULL, -- why it will not have us; empty where it will
    access_until timestamptz,
    lapses_at timestamptz, -- when a person must link again at the latest; NULL: never
    refreshed_at timestamptz,
    gone boolean NOT NULL,
    PRIMARY KEY (app, shop, anchor)
);
CREATE INDEX account_state_platform ON account_state (platform, shop);
