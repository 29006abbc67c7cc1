SELECT event_starts_at AS starts_at, event_ends_at AS ends_at, now() AS now FROM livemon.setting
