-- What attribution needs: which sales it has not looked at yet, and which sessions have moved since it last did.
-- Sales and sessions that are here already count as not looked at, so that the first run finds the room of each.

ALTER TABLE sale ADD COLUMN attributed_at timestamptz; -- when room and session were last looked up; NULL: not yet
CREATE INDEX sale_new ON sale (received_at) WHERE attributed_at IS NULL;
-- Sales that told a room which the roster does not have: few, and asked for at each change of the roster.
CREATE INDEX sale_roomless ON sale (platform, room) WHERE room_id IS NULL AND room IS NOT NULL;
CREATE INDEX sale_shop_at ON sale (shop, at); -- not by platform first: beside the key nothing may look as good as the key

-- A session is new, or its end is: sales inside its stretch of time must be looked at again.
ALTER TABLE session ADD COLUMN sales_due boolean NOT NULL DEFAULT true;
CREATE INDEX session_sales_due ON session (room_id) WHERE sales_due;
CREATE FUNCTION session_moved() RETURNS trigger
LANGUAGE plpgsql SET search_path = livemon, pg_temp AS $$
BEGIN
    NEW.sales_due := true;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION session_moved() FROM PUBLIC;
-- Whoever moves the end of a session, by whatever statement, makes its sales due.
CREATE TRIGGER session_moved BEFORE UPDATE OF closed_at ON session
    FOR EACH ROW WHEN (OLD.closed_at IS DISTINCT FROM NEW.closed_at) EXECUTE FUNCTION session_moved();
