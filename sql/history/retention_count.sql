-- The statement that counts a day.
SELECT format('SELECT count(*) AS rows, pg_total_relation_size(%L) AS bytes FROM livemon.%I',
    format('livemon.%I', $1::text || to_char($2::date, '_YYYYMMDD')), $1::text || to_char($2::date, '_YYYYMMDD'))
