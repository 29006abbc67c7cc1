-- For this transaction. The first statement takes the snapshot: from then on READ ONLY cannot be undone in it.
SELECT set_config('statement_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $1, true),
    set_config('lock_timeout', '5s', true), set_config('max_parallel_workers_per_gather', '0', true),
    count(*) FROM pg_class WHERE false
