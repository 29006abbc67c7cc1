SELECT dropped_at, hall, anchor, external_id, CASE outcome WHEN 'lost' THEN '«断流未恢复|lost»' ELSE '«已恢复|resumed»' END AS outcome,
  down_s, viewers_before, cause, contact, room_id
FROM drop_log
WHERE dropped_at > now() - interval '1 hour' AND hall ~ '^(${hall:pipe})$'
ORDER BY dropped_at DESC
LIMIT 200
