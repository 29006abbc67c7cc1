SELECT
  alert_action.until, extract(epoch FROM alert_action.until - now()) AS left_s, alert_action.by_whom, alert_action.reason,
  count(DISTINCT alert_action.alert) AS alerts, string_agg(DISTINCT «alert.summary|alert.alertname», ', ') AS what
FROM alert_action
LEFT JOIN alert ON alert.alert_id = alert_action.alert
WHERE alert_action.action = 'silenced' AND alert_action.until > now()
GROUP BY alert_action.at, alert_action.by_whom, alert_action.reason, alert_action.until
ORDER BY alert_action.until, alert_action.at
LIMIT 100
