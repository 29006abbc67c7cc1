SELECT told.time, figure.name AS metric, in_major(figure.amount_minor, setting.currency) AS value
FROM (
  SELECT
    date_bin('1 hour', sold.minute, day_starts_at(event_date($__timeFrom()))) AS time,
    sum(sold.gmv_minor)::bigint AS gmv_minor, sum(sold.refunds_minor)::bigint AS refunds_minor
  FROM (
  {{sold}}
  ) AS sold
  GROUP BY 1
) AS told
CROSS JOIN (SELECT event_currency AS currency FROM setting) AS setting
CROSS JOIN LATERAL (
  VALUES (1, '«成交额|GMV»', gmv_minor), (2, '«净成交额|Net»', gmv_minor - refunds_minor), (3, '«退款|Refunds»', refunds_minor)
) AS figure (place, name, amount_minor)
ORDER BY told.time, figure.place
