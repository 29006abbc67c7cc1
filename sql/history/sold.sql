-- Which shops sold in these minutes of platforms, and in which hours of the event's zone. What changes the past of a shop's
-- hour marks a minute in which it sold, so what is not named here stands. LATERAL: a minute is looked up, not all joined.
WITH rolled AS MATERIALIZED (
    SELECT minute, platform, event_hour(minute) AS hour
    FROM unnest($1::timestamptz[], $2::text[]) AS told (minute, platform)
)
SELECT DISTINCT rolled.hour, rolled.platform, sold.shop
FROM rolled
CROSS JOIN LATERAL (
    SELECT DISTINCT sale.shop
    FROM sale
    WHERE sale.at >= rolled.minute AND sale.at < rolled.minute + interval '1 minute' AND sale.platform = rolled.platform
) AS sold
ORDER BY 1, 2, 3
