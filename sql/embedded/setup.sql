-- After roles.sql, in the embedded server's database, as its bootstrap superuser: the owner's database, closed to others.
ALTER DATABASE livemon OWNER TO livemon_owner;
REVOKE ALL ON DATABASE livemon, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE livemon TO livemon_writer, livemon_reader, livemon_hall;
