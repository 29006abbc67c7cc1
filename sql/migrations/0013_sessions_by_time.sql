-- Sessions of a span of time, the newest first: asked by people for all rooms at once, and read whole before.
CREATE INDEX session_opened_at ON session (opened_at);
