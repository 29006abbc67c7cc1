"""What the tests of alert rules are made of."""
