SELECT format('DROP TABLE livemon.%I', $1::text || to_char($2::date, '_YYYYMMDD'))
