-- Money as people write it: the minor unit of a currency turned into its major unit.
CREATE OR REPLACE FUNCTION in_major(amount_minor bigint, currency char(3)) RETURNS numeric(18, 2)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT round(amount_minor / CASE
        WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV',
                          'XAF', 'XOF', 'XPF') THEN 1.0
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000.0
        ELSE 100.0
    END, 2)::numeric(18, 2)
$$;
COMMENT ON FUNCTION in_major(bigint, char) IS
    'Amount in the major unit (yuan, not fen), by the number of decimals that ISO 4217 gives the currency; two places.';
