SET ROLE livemon_reader
