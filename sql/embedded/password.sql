-- The statement that sets one role's password, quoted by the server itself.
SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)
