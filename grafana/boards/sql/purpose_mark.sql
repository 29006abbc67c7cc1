SELECT CASE purpose WHEN 'rehearsal' THEN '【演练】' ELSE '' END AS purpose_mark FROM setting
