"""What `livemon doctor` asks of the outside world: each check is one function, and what it finds it returns."""
