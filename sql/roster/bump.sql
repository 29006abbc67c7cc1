-- A running monitor reads the roster and the schedule anew when this number moves.
UPDATE roster_version SET version = version + 1;
