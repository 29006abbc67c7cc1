-- Values are patterns: what SQL, PromQL or a regular expression would mind is replaced by "any character".
SELECT hall AS __text, regexp_replace(hall, '[]"[''\\^$.|?*+(){}`]', '.', 'g') AS __value
FROM room
WHERE active AND hall <> ''
GROUP BY hall
ORDER BY hall
LIMIT 999
