SET ROLE livemon_owner
