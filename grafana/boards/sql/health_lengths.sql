WITH stopped AS (
  SELECT drop_log.down_s, 1 AS one
  {{health_drops}}
)
SELECT length.words AS length, count(stopped.one) AS drops
FROM (
  VALUES
    (1, '«10 秒内|under 10 s»', 0, 10), (2, '«10–30 秒|10–30 s»', 10, 30), (3, '«30–60 秒|30–60 s»', 30, 60),
    (4, '«1–2 分钟|1–2 min»', 60, 120), (5, '«2–5 分钟|2–5 min»', 120, 300), (6, '«5–15 分钟|5–15 min»', 300, 900),
    (7, '«15 分钟以上|15 min or more»', 900, NULL), (8, '«未恢复且无排期|not back, no plan»', NULL, NULL)
) AS length (place, words, from_s, to_s)
LEFT JOIN stopped
  ON stopped.down_s >= length.from_s AND stopped.down_s < coalesce(length.to_s, 'infinity'::float)
  OR stopped.down_s IS NULL AND length.from_s IS NULL
GROUP BY length.place, length.words
ORDER BY length.place
