SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = $1
