SELECT to_regnamespace('livemon') IS NOT NULL
