-- What retention took away of platforms' own totals, by day. Beside day_pruned, not in it: what is there holds minutes.
CREATE TABLE total_pruned (
    day date PRIMARY KEY,
    rows bigint NOT NULL, -- late ones that went later are added
    bytes bigint NOT NULL,
    by_whom text NOT NULL,
    pruned_at timestamptz NOT NULL
);
REVOKE ALL ON total_pruned FROM PUBLIC;
