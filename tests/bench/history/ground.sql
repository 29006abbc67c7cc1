-- What the history is made from: everything drawn by a hash of room and day, so that it is the same each time.
CREATE SCHEMA bench;
CREATE FUNCTION bench.dice(seed bigint, which int) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (hashint8extended(seed, which) & 1048575) / 1048576.0::float8 $$;
-- A room's viewers at its tick k: ten minutes of growth, and a tremble of 15 %.
CREATE FUNCTION bench.viewers(base int, k int, room_id int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (base::bigint * least(k + 12, 132) / 132 * (85 + (k * 7 + room_id * 13) % 31) / 100)::int
$$;
CREATE FUNCTION bench.instant(us bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT timestamptz '2020-01-01 00:00:00+00' + (us - 1577836800000000) * interval '1 microsecond'
$$;
CREATE TABLE bench.size (from_s bigint, to_s bigint, days int, now_s bigint);
CREATE TABLE bench.draw (room_id int PRIMARY KEY, base int);
