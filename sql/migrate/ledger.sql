-- What has been applied. Number 0 is the views and grants, which are applied anew; the others are forward only.
CREATE TABLE IF NOT EXISTS livemon.migration (
    number int PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
