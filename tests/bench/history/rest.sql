-- The cuts of the days that are over, and the writer's books: a batch every fifteen seconds, up to the latest instant.
INSERT INTO day_cut (day, platform, as_of, currency, orders, gmv_minor, created, refunds, refunds_minor, gifts, gifts_minor)
SELECT
    date.day, sale.platform, cut.as_of, sale.currency, count(*) FILTER (WHERE kind = 'paid'),
    coalesce(sum(amount_minor) FILTER (WHERE kind = 'paid'), 0), count(*) FILTER (WHERE kind = 'created'),
    count(*) FILTER (WHERE kind = 'refunded'), coalesce(sum(-amount_minor) FILTER (WHERE kind = 'refunded'), 0),
    count(*) FILTER (WHERE kind = 'gift'), coalesce(sum(amount_minor) FILTER (WHERE kind = 'gift'), 0)
FROM bench.size
CROSS JOIN generate_series(0, size.days - 2) AS nth
CROSS JOIN LATERAL (SELECT event_date(to_timestamp(size.from_s + nth * 86400 + 1)) AS day) AS date
CROSS JOIN LATERAL (SELECT to_timestamp(size.from_s + (nth + 1) * 86400 + 900) AS as_of) AS cut
JOIN sale ON sale.at >= to_timestamp(size.from_s + nth * 86400) AND sale.at < to_timestamp(size.from_s + (nth + 1) * 86400)
    AND sale.received_at <= cut.as_of
GROUP BY 1, 2, 3, 4;
INSERT INTO applied_batch (batch_id, kind, spool_id, seq, sealed_at, applied_at, rows, written)
SELECT md5(at_s::text)::uuid, 'ticks', md5('spool')::uuid, at_s, to_timestamp(at_s), to_timestamp(at_s), 5000, 5000
FROM bench.size CROSS JOIN generate_series(size.from_s, size.to_s, 15) AS at_s;
UPDATE roll_state SET rolled_at = (SELECT to_timestamp(to_s) FROM bench.size);
DROP SCHEMA bench CASCADE
