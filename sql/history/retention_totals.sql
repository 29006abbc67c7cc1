-- Take away what platforms said of their own money on the day $1, from $2 to before $3, and write down that $4 did. The
-- last word of each session stays, whenever it was said: boards show it beside our own sum.
WITH gone AS (
    DELETE FROM livemon.platform_total AS told
    WHERE told.at >= $2 AND told.at < $3 AND EXISTS (
        SELECT FROM livemon.platform_total AS later
        WHERE later.room_id = told.room_id AND later.at > told.at
            AND later.session_id IS NOT DISTINCT FROM told.session_id AND later.currency = told.currency
    )
    RETURNING pg_column_size(told.*) AS bytes
),
counted AS (SELECT count(*) AS rows, coalesce(sum(bytes), 0)::bigint AS bytes FROM gone),
noted AS (
    INSERT INTO livemon.total_pruned SELECT $1::date, rows, bytes, $4::text, now() FROM counted
    ON CONFLICT (day) DO UPDATE SET rows = total_pruned.rows + excluded.rows, bytes = total_pruned.bytes + excluded.bytes,
        by_whom = excluded.by_whom, pruned_at = excluded.pruned_at
)
SELECT rows, bytes FROM counted
