regexp_replace(hall, '[]"[''\\^$.|?*+(){}`]', '.', 'g')
