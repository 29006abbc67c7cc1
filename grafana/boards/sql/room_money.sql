-- One sum of the session and until when it counts: the newest applied sale of the platforms on which it sold, unless the sums
-- are behind; of a session that is over, its end, once a later sale of them is in. A sum older than a minute says so.
WITH chosen AS (
  SELECT told.session_id, told.closed_at, told.platform, told.gmv, told.refunds, told.net,
    in_major(told.gpm_minor, told.currency) AS gpm
  FROM session_summary AS told
  WHERE told.session_id = substring(${session:sqlstring} from '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')::uuid
), sold AS MATERIALIZED (
  SELECT sale.platform, max(sale.at) AS last_at
  FROM chosen
  JOIN sale ON sale.session_id = chosen.session_id
  GROUP BY sale.platform
), known AS (
  SELECT chosen.closed_at, CASE
      WHEN chosen.closed_at < now() AND EXISTS (
        SELECT FROM sale
        WHERE sale.at >= chosen.closed_at AND sale.at < chosen.closed_at + interval '1 day'
          AND sale.platform IN (SELECT platform FROM sold)
      ) THEN chosen.closed_at
      ELSE least(
        greatest((SELECT max(last_at) FROM sold), (
          SELECT max(sale.at)
          FROM sale
          WHERE sale.at > now() - interval '2 minutes' AND sale.at <= now() AND sale.platform IN (SELECT platform FROM sold)
        )),
        (
          SELECT max(minute) + interval '1 minute'
          FROM event_minute
          WHERE minute > now() - interval '1 day' AND minute <= now() AND orders + refund_orders + created_orders > 0
            AND platform = chosen.platform
        )
      )
    END AS as_of
  FROM chosen
)
SELECT
  now() AS time,
  CASE
    WHEN known.as_of IS NULL THEN '«停更：本场没有订单|stale: no sale in it»'
    WHEN known.as_of >= least(known.closed_at, now()) - interval '60 seconds' THEN '«截至|as of» '
    ELSE '«停更，截至|stale, as of» '
  END || coalesce(to_char(known.as_of AT TIME ZONE setting.timezone, 'MM-DD HH24:MI:SS'), '') AS metric,
  chosen.:sum AS value
FROM chosen
CROSS JOIN known
CROSS JOIN setting
