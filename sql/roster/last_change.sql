-- The last change of the roster that changed something and is not undone yet.
SELECT roster_change_id, at, by_whom, action, source
FROM roster_change AS c
WHERE action <> 'undo' AND added + changed + retired > 0
    AND NOT EXISTS (SELECT FROM roster_change AS u WHERE u.undoes = c.roster_change_id)
ORDER BY roster_change_id DESC
LIMIT 1;
