-- The number that a running monitor follows.
SELECT version FROM roster_version;
