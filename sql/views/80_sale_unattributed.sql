-- Sales that count for their platform and shop, but for no room or no session, and why.
CREATE OR REPLACE VIEW sale_unattributed AS
SELECT
    sale.platform, sale.shop, word.reason, word.reason_zh,
    count(*) AS events,
    count(DISTINCT coalesce(nullif(sale.order_id, ''), sale.event_id)) FILTER (WHERE sale.kind = 'paid') AS orders,
    coalesce(sum(sale.amount_minor) FILTER (WHERE sale.kind = 'paid'), 0)::bigint AS gmv_minor,
    in_major(coalesce(sum(sale.amount_minor) FILTER (WHERE sale.kind = 'paid'), 0)::bigint, sale.currency) AS gmv,
    sale.currency::text AS currency,
    min(sale.at) AS first_at,
    max(sale.at) AS last_at
FROM sale
JOIN (
    VALUES (1, 'not looked at yet', '尚未归属'), (2, 'no room told', '订单未注明直播间'),
        (3, 'room not in the roster', '直播间不在名册内'), (4, 'no session open', '下单时不在场次内')
) AS word (number, reason, reason_zh) ON word.number = CASE
    WHEN sale.attributed_at IS NULL THEN 1
    WHEN sale.room_id IS NOT NULL THEN 4
    WHEN sale.room IS NULL THEN 2
    ELSE 3
END
WHERE sale.session_id IS NULL
GROUP BY sale.platform, sale.shop, word.reason, word.reason_zh, sale.currency;
COMMENT ON VIEW sale_unattributed IS
    'Sales without a session, by platform, shop and reason: no room told, room not in the roster, no session open (its '
    'room is known), not looked at yet (a matter of seconds). All count for their platform and shop; see sale_place.';
COMMENT ON COLUMN sale_unattributed.events IS 'Rows of sale: created, paid, refunded, cancelled and gifts.';
COMMENT ON COLUMN sale_unattributed.orders IS 'Orders paid among them, distinct.';
COMMENT ON COLUMN sale_unattributed.gmv_minor IS 'GMV of these orders, before refunds, in the minor unit (分) of currency.';
COMMENT ON COLUMN sale_unattributed.gmv IS 'gmv_minor in the major unit (元).';
