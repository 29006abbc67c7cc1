-- How long we wait for others in this session.
SELECT set_config('lock_timeout', $1, false)
