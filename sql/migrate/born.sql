-- What the first migration fixes for the life of the database.
SELECT set_config('livemon.purpose', $1, true), set_config('livemon.timezone', $2, true),
    set_config('livemon.currency', $3, true)
