-- What retention took away (livemon prune), and that the past which it took is not computed anew from nothing.

CREATE TABLE day_pruned (
    relation text NOT NULL CHECK (relation IN ('tick_raw', 'session_minute')),
    day date NOT NULL,
    from_at timestamptz NOT NULL, -- the day's own bounds in the event's zone
    to_at timestamptz NOT NULL,
    rows bigint NOT NULL DEFAULT 0, -- counted before they went; late rows of a day that went later are added
    bytes bigint NOT NULL DEFAULT 0,
    by_whom text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(), -- from here on its minutes stand as they are
    pruned_at timestamptz, -- NULL: decided, and not yet gone
    PRIMARY KEY (relation, day)
);

-- A minute whose ticks are gone cannot be computed again: its mark is not taken, and its sums stay as they were. The
-- minute after the day's last is such a one, too: a number of viewers holds for up to 60 s.
CREATE FUNCTION minute_kept() RETURNS trigger
LANGUAGE plpgsql SET search_path = livemon, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM day_pruned WHERE NEW.minute BETWEEN from_at AND to_at) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION minute_kept() FROM PUBLIC;
REVOKE ALL ON day_pruned FROM PUBLIC;
-- A mark of a stretch passes: the roller makes marks of minutes out of it, and they come by here.
CREATE TRIGGER minute_kept BEFORE INSERT ON minute_touched
    FOR EACH ROW WHEN (NEW.until IS NULL) EXECUTE FUNCTION minute_kept();
