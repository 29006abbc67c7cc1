-- What is kept under these event ids: the same fact again is a duplicate, another one under the same id a conflict.
SELECT platform, event_id, kind, amount_minor, currency::text
FROM sale JOIN unnest($1::text[], $2::text[]) AS told (platform, event_id) USING (platform, event_id)
