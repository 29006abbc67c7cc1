INSERT INTO livemon.migration (number, name, sha256) VALUES ($1, $2, $3)
ON CONFLICT (number) DO UPDATE SET name = excluded.name, sha256 = excluded.sha256, applied_at = now()
