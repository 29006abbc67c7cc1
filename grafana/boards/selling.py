"""What the boards of money share: names of platforms in SQL, and amounts of the sums that a statement makes."""

from monitor.alerts.alert_words import PLATFORMS

from .words import Say


def platform_name(say: Say, column: str) -> str:
    """SQL for the name that people use, for where a value mapping cannot reach: names of series and bars."""
    known = " ".join(f"WHEN '{key}' THEN '{say(told['zh'], told['en'])}'" for key, told in PLATFORMS.items())
    return f"CASE {column} {known} ELSE {column} END"
