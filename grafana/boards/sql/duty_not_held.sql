SELECT count(*) AS alerts
FROM alert
WHERE alert.ends_at IS NULL AND alert.severity = 'critical' AND NOT EXISTS (
  SELECT FROM alert_action
  WHERE alert_action.alert = alert.alert_id
    AND (alert_action.action = 'acknowledged' OR alert_action.action = 'silenced' AND alert_action.until > now())
)
