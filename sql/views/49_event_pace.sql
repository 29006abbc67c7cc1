-- Today so far beside yesterday until the same minute.
CREATE OR REPLACE FUNCTION event_pace_at(instant timestamptz) RETURNS TABLE (
    platform text, as_of timestamptz, orders int, gmv_minor bigint, gmv numeric, orders_yesterday int,
    gmv_yesterday_minor bigint, gmv_yesterday numeric, change_ratio numeric, currency char(3)
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH clock AS MATERIALIZED ( -- once, whatever the instant is an expression of
        SELECT
            local.as_of AT TIME ZONE setting.timezone AS yesterday_until,
            setting.event_currency AS currency, setting.event_starts_at, setting.event_ends_at,
            date_trunc('minute', instant) AS as_of,
            local.today::timestamp AT TIME ZONE setting.timezone AS today_at,
            (local.today - 1)::timestamp AT TIME ZONE setting.timezone AS yesterday_at
        FROM livemon.setting
        CROSS JOIN LATERAL (
            SELECT
                (instant AT TIME ZONE setting.timezone)::date AS today,
                date_trunc('minute', instant) AT TIME ZONE setting.timezone - interval '1 day' AS as_of
        ) AS local
    )
    SELECT
        told.platform, told.as_of, told.orders::int, told.gmv_minor, livemon.in_major(told.gmv_minor, told.currency),
        told.orders_yesterday::int, told.gmv_yesterday_minor, livemon.in_major(told.gmv_yesterday_minor, told.currency),
        round(told.gmv_minor::numeric / nullif(told.gmv_yesterday_minor, 0) - 1, 4),
        told.currency
    FROM (
        SELECT
            summed.platform, clock.as_of, clock.currency,
            coalesce(sum(summed.orders) FILTER (WHERE summed.minute >= clock.today_at), 0) AS orders,
            coalesce(sum(summed.gmv_minor) FILTER (WHERE summed.minute >= clock.today_at), 0)::bigint AS gmv_minor,
            coalesce(sum(summed.orders) FILTER (WHERE summed.minute < clock.today_at), 0) AS orders_yesterday,
            coalesce(sum(summed.gmv_minor) FILTER (WHERE summed.minute < clock.today_at), 0)::bigint AS gmv_yesterday_minor
        FROM clock
        JOIN livemon.event_minute AS summed
            ON summed.minute >= clock.yesterday_at AND summed.minute < clock.as_of
            AND (summed.minute < clock.yesterday_until OR summed.minute >= clock.today_at)
        WHERE (clock.event_starts_at IS NULL OR summed.minute >= clock.event_starts_at)
            AND (clock.event_ends_at IS NULL OR summed.minute < clock.event_ends_at)
        GROUP BY summed.platform, clock.as_of, clock.currency
    ) AS told
$$;
COMMENT ON FUNCTION event_pace_at(timestamptz) IS
    'event_pace as it is at an instant: each platform''s day until that minute, and the day before until the same minute of '
    'the clock, in the event''s zone and window.';

CREATE OR REPLACE VIEW event_pace AS
SELECT
    platform, orders, gmv_minor, gmv, orders_yesterday, gmv_yesterday_minor, gmv_yesterday, change_ratio, as_of, currency
FROM event_pace_at(now());
COMMENT ON VIEW event_pace IS
    'One row per platform: today so far, and yesterday until the same minute (同比昨日同时段), inside the event window. The minute '
    'that is under way counts on neither side. Source: event_minute.';
COMMENT ON COLUMN event_pace.orders IS 'Orders paid today until as_of, by pay time, in the event''s currency.';
COMMENT ON COLUMN event_pace.gmv_minor IS 'GMV of today until as_of, before refunds, in the minor unit (分).';
COMMENT ON COLUMN event_pace.gmv IS 'gmv_minor in the major unit (元).';
COMMENT ON COLUMN event_pace.orders_yesterday IS 'Orders paid yesterday until the same minute of the clock.';
COMMENT ON COLUMN event_pace.gmv_yesterday_minor IS 'GMV of yesterday until the same minute of the clock.';
COMMENT ON COLUMN event_pace.gmv_yesterday IS 'The same in the major unit.';
COMMENT ON COLUMN event_pace.change_ratio IS 'gmv_minor / gmv_yesterday_minor - 1: 0.25 is a quarter more; NULL: nothing yesterday.';
COMMENT ON COLUMN event_pace.as_of IS 'The end of what is counted: the beginning of the minute that is under way.';
