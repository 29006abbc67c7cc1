-- What Alertmanager told, and what people did about it. Livemon itself goes on from its own file: this is for people.

CREATE TABLE alert (
    alert_id uuid PRIMARY KEY, -- uuid5 of (fingerprint, starts_at): one episode
    number bigint NOT NULL, -- the #4821 of messages; one alert that is the sequel of another has the same
    fingerprint text NOT NULL,
    alertname text NOT NULL,
    severity text NOT NULL,
    labels jsonb NOT NULL,
    summary text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz, -- NULL while it goes on
    outcome text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'recovered', 'not_recovered', 'quiet')) -- what people were told
);
CREATE INDEX alert_starts_at ON alert (starts_at);

-- `alert` is an alert_id; NULL where it was about none that was heard of, as a planned silence. No foreign key: an action
-- may be written before the alert is.
CREATE TABLE alert_action (
    at timestamptz NOT NULL,
    alert uuid,
    action text NOT NULL CHECK (action IN ('acknowledged', 'silenced', 'ended', 'escalated', 'note')),
    by_whom text NOT NULL,
    reason text NOT NULL DEFAULT '',
    until timestamptz,
    CONSTRAINT alert_action_key UNIQUE NULLS NOT DISTINCT (at, alert, action, by_whom)
);
CREATE INDEX alert_action_alert ON alert_action (alert);
REVOKE ALL ON alert, alert_action FROM PUBLIC;
