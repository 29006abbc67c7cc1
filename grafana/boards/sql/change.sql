-- A number beside the same of yesterday, for the words below it; nothing where yesterday had none.
CASE WHEN before > 0
    THEN '«，较昨天此刻| · vs yesterday» ' || to_char(100.0 * (number - before) / before, 'FMSG9999990.0') || '%' ELSE ''
  END
