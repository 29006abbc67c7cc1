-- For this transaction: a day's orders are grouped in memory, for one connection for some seconds.
SELECT
    set_config('statement_timeout', $1, true),
    set_config('idle_in_transaction_session_timeout', $1, true),
    set_config('work_mem', '64MB', true)
