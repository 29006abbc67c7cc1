SELECT pg_has_role(current_user, 'livemon_owner', 'MEMBER') FROM pg_roles WHERE rolname = 'livemon_owner'
