"""What a step looks at, and whom it tells. Values."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from monitor.alerts.alert import Alert
from monitor.alerts.kept import Kept
from monitor.alerts.sight import Sight

Scope = tuple[str, str, str]
Audience = Callable[[Alert], Sequence[str]]
"""The robots that take an alert, by name."""


class Told(NamedTuple):
    """An episode, and the robots that are to be told of it now."""

    kept: Kept
    robots: Sequence[str]


class Scene(NamedTuple):
    """What is looked at: how rooms stand, the time, since when we are there to be asked, who would be told."""

    sight: Sight
    now: datetime
    up_since: datetime
    audience: Audience
