-- One roller at a time: who finds the row held by another has no turn. Returns no row then.
SELECT rolled_at FROM roll_state FOR UPDATE SKIP LOCKED
