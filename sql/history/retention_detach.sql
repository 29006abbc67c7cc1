-- The statement that takes a day off its table without stopping who reads or writes; or ends what was begun.
SELECT format('ALTER TABLE livemon.%I DETACH PARTITION livemon.%I %s', $1::text, $1::text || to_char($2::date, '_YYYYMMDD'),
    CASE WHEN $3 THEN 'FINALIZE' ELSE 'CONCURRENTLY' END)
