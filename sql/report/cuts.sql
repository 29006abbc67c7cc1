-- Each day from $1 to $2 as it stood at 00:15 of the next one, in the event's currency.
SELECT
    day_cut.day,
    max(day_cut.as_of) AS as_of,
    sum(day_cut.orders)::bigint AS orders,
    sum(day_cut.gmv_minor)::bigint AS gmv_minor,
    sum(day_cut.refunds)::bigint AS refund_orders,
    sum(day_cut.refunds_minor)::bigint AS refunds_minor
FROM day_cut
CROSS JOIN setting
WHERE day_cut.day BETWEEN $1::date AND $2::date AND day_cut.currency = setting.event_currency
GROUP BY day_cut.day
ORDER BY day_cut.day
