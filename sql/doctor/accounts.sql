-- How the accounts of each platform stand, and some of the people to call.
SELECT platform, state, count(*)::int AS accounts,
    (array_agg(DISTINCT contact) FILTER (WHERE contact <> ''))[1:3] AS contacts
FROM account GROUP BY platform, state ORDER BY platform, state
