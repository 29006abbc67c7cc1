SELECT
  peak_viewers, average_viewers, watch_hours, views_total, orders, airtime_s, drops, down_s, blind_s
FROM session_summary
WHERE session_id = substring(${session:sqlstring} from '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')::uuid
