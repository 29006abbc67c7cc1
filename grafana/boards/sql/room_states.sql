-- What was told of the room, from change to change; while nobody could see it, that covers all. Lost ends with the next
-- session, or with what was planned. Before anything was told there is nothing.
WITH asked AS (
  SELECT substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AS room_id,
    $__timeFrom()::timestamptz AS from_at, least($__timeTo()::timestamptz, now()) AS to_at
), told AS MATERIALIZED (
  SELECT change.at, 1 AS place, change.number, CASE
      WHEN change.change IN ('opened', 'resumed') THEN 1
      WHEN change.change = 'dropped' THEN 2
      WHEN change.cause = 'lost' THEN 4
      ELSE 0
    END AS state_code
  FROM asked
  JOIN session_change AS change ON change.room_id = asked.room_id AND change.at <= asked.to_at
    AND change.at >= coalesce((
      SELECT max(session.opened_at) FROM session WHERE session.room_id = asked.room_id AND session.opened_at <= asked.from_at
    ), asked.from_at)
  UNION ALL
  SELECT given_up.at, 0, 0, 0
  FROM asked
  JOIN drop_log ON drop_log.room_id = asked.room_id AND drop_log.outcome = 'lost'
    AND drop_log.dropped_at <= asked.to_at AND drop_log.dropped_at > asked.from_at - interval '1 day'
  CROSS JOIN LATERAL (
    SELECT drop_log.dropped_at + make_interval(secs => drop_log.down_s::float) AS at
  ) AS given_up
  WHERE given_up.at < coalesce(drop_log.back_at, asked.to_at) - interval '1 second'
), dark AS MATERIALIZED (
  SELECT room_blind.from_at, coalesce(room_blind.to_at, 'infinity') AS to_at
  FROM asked
  JOIN room_blind ON room_blind.room_id = asked.room_id AND room_blind.from_at <= asked.to_at
    AND coalesce(room_blind.to_at, 'infinity') >= asked.from_at
), moment AS (
  SELECT greatest(told.at, asked.from_at) AS at FROM told CROSS JOIN asked
  UNION
  SELECT greatest(dark.from_at, asked.from_at) FROM dark CROSS JOIN asked
  UNION
  SELECT dark.to_at FROM dark CROSS JOIN asked WHERE dark.to_at <= asked.to_at
)
SELECT moment.at AS time, CASE
    WHEN EXISTS (SELECT FROM dark WHERE dark.from_at <= moment.at AND dark.to_at > moment.at) THEN 3
    ELSE (
      SELECT told.state_code FROM told WHERE told.at <= moment.at ORDER BY told.at DESC, told.place DESC, told.number DESC LIMIT 1
    )
  END AS "«状态|state»"
FROM moment
ORDER BY moment.at
