steps AS (
  SELECT generate_series(
    date_bin({{five_minutes}}, $__timeFrom()::timestamptz, TIMESTAMPTZ 'epoch'), $__timeTo()::timestamptz, {{five_minutes}}
  ) AS time
)
