SELECT number, name, sha256 FROM livemon.migration ORDER BY number
