-- Values are patterns, as those of halls.sql.
SELECT city AS __text, regexp_replace(city, '[]"[''\\^$.|?*+(){}`]', '.', 'g') AS __value
FROM room
WHERE active AND city <> ''
GROUP BY city
ORDER BY city
LIMIT 999
