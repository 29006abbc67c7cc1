-- The book of alerts: one SQLite file, one connection, one thread, one process. Times are unix seconds.

CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- One row an episode: (fingerprint, starts_at in microseconds). `kept` is all that is known of it; the rest finds it.
CREATE TABLE IF NOT EXISTS episode (
    fingerprint TEXT NOT NULL, starts_at INTEGER NOT NULL, number INTEGER NOT NULL, settled_at REAL, kept BLOB NOT NULL,
    PRIMARY KEY (fingerprint, starts_at)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS episode_number ON episode (number);
CREATE INDEX IF NOT EXISTS episode_settled ON episode (settled_at);

CREATE TABLE IF NOT EXISTS storm (key TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;

-- What robots are to be told. state: waiting, sending (it left, and nobody knows yet whether it came), sent, failed.
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    robot TEXT NOT NULL,
    key TEXT NOT NULL,
    severity TEXT NOT NULL,
    notice BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    tries INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    next_at REAL NOT NULL,
    done_at REAL,
    why TEXT NOT NULL DEFAULT '',
    UNIQUE (robot, key)
);
CREATE INDEX IF NOT EXISTS message_due ON message (robot, next_at) WHERE done_at IS NULL;
CREATE INDEX IF NOT EXISTS message_done ON message (done_at) WHERE done_at IS NOT NULL;

-- What people did, by the number they were told of.
CREATE TABLE IF NOT EXISTS action (
    number INTEGER NOT NULL, at REAL NOT NULL, action TEXT NOT NULL, by_whom TEXT NOT NULL, reason TEXT NOT NULL,
    until REAL, PRIMARY KEY (number, at, action, by_whom)
) WITHOUT ROWID;

-- Rooms of which somebody said that the broadcast there is over, whether or not there was an alert, and when last.
CREATE TABLE IF NOT EXISTS ended_room (
    platform TEXT NOT NULL, room TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (platform, room)
) WITHOUT ROWID;

-- Facts for PostgreSQL, until the spool has them.
CREATE TABLE IF NOT EXISTS fact (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, fact BLOB NOT NULL);
