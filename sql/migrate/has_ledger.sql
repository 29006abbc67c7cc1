SELECT to_regclass('livemon.migration') IS NOT NULL
