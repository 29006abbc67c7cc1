"""Alerts and duty: what Alertmanager says, told once, truly, to the person who can act."""
