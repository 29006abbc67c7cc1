-- Orders while a session is on air: created, most of them paid within minutes, some cancelled, some refunded days later,
-- gifts; one in twenty is told without its room; half a percent arrives hours late.
CREATE UNLOGGED TABLE bench.deal AS
SELECT
    session.platform, session.room_id, session.session_id, session.shop, session.opened_us, session.ends_us, session.to_s,
    session.seed * 10000 + number AS seed,
    session.opened_us + floor((session.ends_us - session.opened_us) * bench.dice(session.seed * 10000 + number, 11))::bigint AS at_us,
    number > session.base / 10 AND bench.dice(session.seed * 10000 + number, 12) < 0.1 AS gift,
    bench.dice(session.seed * 10000 + number, 13) < 0.05 AS roomless,
    CASE WHEN bench.dice(session.seed * 10000 + number, 14) < 0.01 THEN 'USD' ELSE 'CNY' END AS currency,
    900 + floor(30000 * power(bench.dice(session.seed * 10000 + number, 15), 3))::bigint AS amount_minor,
    1 + (number % 3) AS units
FROM bench.session
CROSS JOIN LATERAL generate_series(
    1, least(2500, 4 + floor(session.base * (0.05 + 0.30 * bench.dice(session.seed, 10)))::int)
) AS number;

INSERT INTO sale (
    platform, event_id, at, received_at, feed, room, room_id, session_id, shop, order_id, kind, amount_minor, currency,
    units, buyer, via, attributed_at, buyer_again
)
SELECT
    deal.platform, 'e' || deal.seed || told.kind, bench.instant(told.at_us), received.at, 'orders-' || deal.platform,
    CASE WHEN NOT roomless THEN deal.room_id::text END, CASE WHEN NOT roomless THEN deal.room_id END,
    CASE WHEN NOT roomless AND told.at_us < deal.ends_us THEN deal.session_id END,
    deal.shop, CASE WHEN gift THEN '' ELSE 'o' || deal.seed END, told.kind,
    CASE told.kind WHEN 'refunded' THEN -deal.amount_minor ELSE deal.amount_minor END, deal.currency, deal.units,
    decode(md5((deal.seed % 700001)::text), 'hex'), 'push', received.at,
    told.kind = 'paid' AND count(*) OVER (PARTITION BY deal.platform, deal.shop, told.kind, deal.seed % 700001) > 1
FROM bench.deal
CROSS JOIN LATERAL (
    VALUES ('gift', at_us, gift),
        ('created', at_us, NOT gift),
        ('paid', at_us + 20000000 + floor(60000000 * bench.dice(seed, 16))::bigint, NOT gift AND bench.dice(seed, 17) < 0.86),
        ('cancelled', at_us + 900000000, NOT gift AND bench.dice(seed, 17) >= 0.9),
        ('refunded', at_us + 600000000 + floor(172800000000 * bench.dice(seed, 18))::bigint,
            NOT gift AND bench.dice(seed, 17) < 0.07)
) AS told (kind, at_us, happened)
CROSS JOIN LATERAL (
    SELECT bench.instant(told.at_us) + CASE WHEN bench.dice(seed, 19) < 0.005 THEN interval '7 hours' ELSE interval '1 second' END AS at
) AS received
WHERE happened AND told.at_us < to_s * 1000000
ORDER BY told.at_us;

INSERT INTO sale_item (platform, event_id, item_id, title, units, amount_minor)
SELECT sale.platform, sale.event_id, 'item-' || sale.shop || '-' || pick, '商品 ' || pick, sale.units, sale.amount_minor / part.parts
FROM sale
CROSS JOIN LATERAL (SELECT 1 + (sale.amount_minor % 10 < 3)::int AS parts) AS part
CROSS JOIN LATERAL generate_series(1, part.parts) AS nth
CROSS JOIN LATERAL (SELECT (sale.amount_minor % 9 * nth + nth) % 12 AS pick) AS chosen
WHERE sale.kind IN ('created', 'paid')
ON CONFLICT DO NOTHING;
