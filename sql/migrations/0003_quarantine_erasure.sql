-- A delivery in quarantine is kept whole while somebody may want it tried again, and its bytes go a day after that.

ALTER TABLE quarantine ADD COLUMN erase_at timestamptz; -- when its bytes go; NULL: they stay, or are gone
ALTER TABLE quarantine ADD COLUMN erased_at timestamptz; -- since when the payload is empty for that reason
CREATE INDEX quarantine_erase ON quarantine (erase_at) WHERE erase_at IS NOT NULL;
-- Those that were done with before: it is not known since when. By the mark that encrypted deliveries begin with.
UPDATE quarantine SET erase_at = now() + interval '1 day'
WHERE state IN ('retried', 'dropped') AND substring(payload FROM 1 FOR 4) = '\x4c4d4601'::bytea;
