-- The spool: one SQLite file, one connection, one thread, one process.

CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Every batch sealed in the last 30 days. state: pending, applied, aside (too old to send), damaged, lost.
-- A pending batch with an applied_at is offered again: it moves the books no more.
CREATE TABLE IF NOT EXISTS batch (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    sealed_at REAL NOT NULL,
    applied_at REAL,
    state TEXT NOT NULL,
    size INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    ticks INTEGER NOT NULL,
    sales INTEGER NOT NULL,
    changes INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS batch_spooled ON batch (seq, kind, sealed_at, applied_at, size, frames, ticks, sales, changes)
    WHERE state IN ('pending', 'aside');
CREATE INDEX IF NOT EXISTS batch_applied ON batch (state, applied_at);

-- Their bytes, as they were sealed; deleted a while after they were applied.
CREATE TABLE IF NOT EXISTS payload (
    seq INTEGER PRIMARY KEY,
    header BLOB NOT NULL,
    payload BLOB NOT NULL,
    crc INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS room_state (
    platform TEXT NOT NULL, room TEXT NOT NULL, state BLOB NOT NULL, PRIMARY KEY (platform, room)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feed_state (feed TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;

-- The mirror of the roster: ids never change and are never reused.
CREATE TABLE IF NOT EXISTS room (room_id INTEGER PRIMARY KEY, row BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS slot (room_id INTEGER NOT NULL, row BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS slot_room ON slot (room_id);

CREATE TABLE IF NOT EXISTS books (
    kind TEXT PRIMARY KEY,
    received INTEGER NOT NULL DEFAULT 0,
    written INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,
    shed INTEGER NOT NULL DEFAULT 0,
    reoffered INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT OR IGNORE INTO books (kind) VALUES ('frame'), ('tick'), ('sale'), ('change');

-- Every delivery that was kept before it was answered. state: waiting (nobody has read it yet), pending (it needs an
-- answer of the platform), done, quarantined. `batch_seq` is the last batch that was sealed with its meaning.
CREATE TABLE IF NOT EXISTS frame (
    seq INTEGER PRIMARY KEY,
    feed TEXT NOT NULL,
    received_at REAL NOT NULL,
    kept_at REAL NOT NULL, -- later than received_at where a person had it tried again
    sha256 BLOB NOT NULL, -- of the delivery as it came
    size INTEGER NOT NULL, -- of its encrypted bytes
    state TEXT NOT NULL,
    done_at REAL,
    batch_seq INTEGER,
    has_body INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS frame_spooled ON frame (state, feed, received_at, size)
    WHERE state IN ('waiting', 'pending');
CREATE INDEX IF NOT EXISTS frame_bodies ON frame (done_at) WHERE has_body AND done_at IS NOT NULL;

-- Their bytes, encrypted under the key of an hour; deleted a day after they are of no more use. It says of itself whose
-- they are.
CREATE TABLE IF NOT EXISTS frame_body (
    seq INTEGER PRIMARY KEY,
    feed TEXT NOT NULL,
    received_at REAL NOT NULL,
    body BLOB NOT NULL,
    crc INTEGER NOT NULL
);

-- What must be asked of the platform before a pending frame means anything.
CREATE TABLE IF NOT EXISTS frame_need (
    what TEXT NOT NULL, key TEXT NOT NULL, shop TEXT NOT NULL, frame INTEGER NOT NULL,
    PRIMARY KEY (what, key, shop, frame)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS frame_need_of ON frame_need (frame);

-- Deliveries that are kept once in 30 days, however often they come, by the name that their content gives them.
CREATE TABLE IF NOT EXISTS frame_once (
    feed TEXT NOT NULL, name TEXT NOT NULL, frame INTEGER NOT NULL, kept_at REAL NOT NULL, PRIMARY KEY (feed, name)
) WITHOUT ROWID;

-- What shops and anchors grant to our apps, each encrypted as a whole under the account key (monitor/accounts/vault.py).
-- Nobody polls or refreshes by these columns: all of it is in memory.
CREATE TABLE IF NOT EXISTS account (
    app TEXT NOT NULL, shop TEXT NOT NULL, anchor TEXT NOT NULL, sealed BLOB NOT NULL, kept_at REAL NOT NULL,
    PRIMARY KEY (app, shop, anchor)
) WITHOUT ROWID;
-- Those that could not be read when something else took their place: the key may turn up again.
CREATE TABLE IF NOT EXISTS account_aside (
    app TEXT NOT NULL, shop TEXT NOT NULL, anchor TEXT NOT NULL, kept_at REAL NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (app, shop, anchor, kept_at)
) WITHOUT ROWID;
-- How far a listing of a shop was polled for a feed (unix seconds); moves in the sealing of what was polled before it.
CREATE TABLE IF NOT EXISTS poll_cursor (
    feed TEXT NOT NULL, shop TEXT NOT NULL, listing TEXT NOT NULL, until REAL NOT NULL, moved_at REAL NOT NULL,
    PRIMARY KEY (feed, shop, listing)
) WITHOUT ROWID;

-- What is under the key of an hour, by what such a piece begins with (hour_cipher.py): a key is thrown away when nothing
-- here needs it any more.
CREATE INDEX IF NOT EXISTS frame_body_hour ON frame_body (substr(body, 1, 8));
CREATE INDEX IF NOT EXISTS payload_hour ON payload (substr(payload, 1, 8)) WHERE substr(payload, 1, 4) = x'4C4D4602';
