-- The last $1 changes of the roster, the newest first, with the change that undid them.
SELECT c.roster_change_id AS number, c.at, c.by_whom, c.action, c.source, c.added, c.changed, c.retired, c.undoes,
    u.roster_change_id AS undone_by
FROM roster_change AS c LEFT JOIN roster_change AS u ON u.undoes = c.roster_change_id
ORDER BY c.roster_change_id DESC
LIMIT $1;
