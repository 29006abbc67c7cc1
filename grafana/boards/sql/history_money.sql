-- One sum: 1 GMV, 2 net, 3 refunds. Its name says until when it counts; it is stale when the span reaches now and the newest sale is
-- older than a minute. The minute of the newest sale is known from the sums, its second from the sales of that minute.
WITH span AS (
  {{history_span}}
), summed AS (
  SELECT
    sum(gmv_minor)::bigint AS gmv_minor, sum(refunds_minor)::bigint AS refunds_minor, min(currency) AS currency,
    max(minute) FILTER (WHERE sold) AS minute
  FROM span
), told AS (
  SELECT
    summed.*, newest.at,
    least($__timeTo()::timestamptz, event_ends_at) > now() - interval '60 seconds'
      AND newest.at < now() - interval '60 seconds' AS stale,
    to_char(newest.at AT TIME ZONE timezone, CASE
      WHEN newest.at > now() - interval '20 hours' THEN 'HH24:MI:SS' ELSE 'MM-DD HH24:MI:SS'
    END) AS clock
  FROM summed
  CROSS JOIN setting
  LEFT JOIN LATERAL (
    SELECT max(sale.at) AS at
    FROM sale
    WHERE sale.at >= summed.minute AND sale.at < summed.minute + interval '1 minute' AND sale.kind IN ('paid', 'refunded')
      AND sale.platform ~ '^(${platform:pipe})$'
  ) AS newest ON true
)
SELECT
  $__timeTo()::timestamptz AS time,
  CASE
    WHEN stale THEN '«停更，截至|stale, as of» ' || clock || ' ' || figure.name
    ELSE figure.name || coalesce(' «截至|as of» ' || clock, '')
  END AS metric,
  in_major(figure.amount_minor, currency) AS amount
FROM told
CROSS JOIN LATERAL (
  VALUES (1, '«成交额|GMV»', gmv_minor), (2, '«净成交额|Net»', gmv_minor - refunds_minor), (3, '«退款|Refunds»', refunds_minor)
) AS figure (place, name, amount_minor)
WHERE figure.place = {{figure}}
