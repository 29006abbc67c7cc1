SELECT
  verdict, starts_at, CASE WHEN verdict = 'ended_early' THEN extract(epoch FROM now() - since) ELSE late_s END AS late_s,
  hall, anchor, platform, external_id, ends_at, contact, room_id,
  coalesce(nullif(regexp_replace(hall, '[]"[''\\^$.|?*+(){}`]', '.', 'g'), ''), '.*') AS hall_pattern
FROM expected_now
WHERE verdict IN ('late', 'missing', 'ended_early')
ORDER BY array_position(ARRAY['missing', 'late', 'ended_early'], verdict), late_s DESC NULLS LAST, external_id
LIMIT 200
