-- Rows of the hour of the event's zone that begins at $1, of platform $2, of which no minute is left.
DELETE FROM session_hour AS kept
WHERE kept.hour = $1 AND kept.platform = $2 AND NOT EXISTS (
    SELECT FROM session_minute AS part
    WHERE part.room_id = kept.room_id AND part.session_id IS NOT DISTINCT FROM kept.session_id AND part.platform = $2
        AND part.minute >= $1 AND part.minute < least(
            $1::timestamptz + interval '1 hour',
            (event_date($1::timestamptz) + 1)::timestamp AT TIME ZONE (SELECT timezone FROM setting)
        )
)
