-- The applications as configured; those no longer configured stay, marked so.
WITH told AS (
    SELECT * FROM unnest($1::text[], $2::text[]) AS t (app, platform)
),
gone AS (
    UPDATE app SET configured = false, updated_at = now()
    WHERE configured AND NOT EXISTS (SELECT FROM told WHERE told.app = app.app)
)
INSERT INTO app (app, platform)
SELECT app, platform FROM told
ON CONFLICT (app) DO UPDATE SET platform = excluded.platform, configured = true, updated_at = now()
