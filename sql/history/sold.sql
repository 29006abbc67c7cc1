-- Which shops sold in these minutes of platforms, and in which hours of the event's zone. What changes the past of a shop's
-- hour marks a minute in which it sold, so what is not named here stands.
SELECT DISTINCT event_hour(rolled.minute) AS hour, sale.platform, sale.shop
FROM unnest($1::timestamptz[], $2::text[]) AS rolled (minute, platform)
JOIN sale ON sale.at >= rolled.minute AND sale.at < rolled.minute + interval '1 minute' AND sale.platform = rolled.platform
ORDER BY 1, 2, 3
