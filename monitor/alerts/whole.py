"""What Alertmanager cut off a notification (`max_alerts`) is asked of it.

It puts those that fire and those that are over into one list, in the order of their labels, and tells of a change once:
of an alert that is cut off it would speak again after `repeat_interval`, an hour later.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

import msgspec

from monitor.alerts.alert import Alert
from monitor.alerts.silence import Matcher
from monitor.alerts.silences import AlertmanagerError, Listed
from monitor.alerts.webhook import ALERTS_MAX, Group

PLACES = ("platform", "hall")


class Incomplete(Exception):
    """What was posted is kept, the rest could not be asked for: Alertmanager must tell it again."""


class Asked(Protocol):
    async def alerts(self, matchers: list[Matcher]) -> list[Listed]: ...


class Whole:
    """Hands groups on to `hear`, whole. Without an `alertmanager` a group is what was posted."""

    def __init__(self, hear: Callable[[Group], Awaitable[None]], alertmanager: Asked | None) -> None:
        self._hear, self._alertmanager = hear, alertmanager

    async def hear(self, group: Group) -> None:
        """Raises BookRefused, and Incomplete."""
        if not group.truncated or self._alertmanager is None:
            await self._hear(group)
            return
        try:
            listed = await self._alertmanager.alerts(list(_matchers(group)))
        except AlertmanagerError as error:
            await self._hear(group)
            raise Incomplete(str(error)) from error
        await self._hear(_with(group, listed))


def _matchers(group: Group) -> Iterator[Matcher]:
    """Those of its group: of what it is grouped by, and without a hall where none of those posted is in one."""
    for name, value in group.labels.items():
        yield Matcher(name, value)
    for name in PLACES:
        if name not in group.labels and not any(alert.labels.get(name) for alert in group.alerts):
            yield Matcher(name, "")


def _with(group: Group, listed: list[Listed]) -> Group:
    """What is silenced or inhibited is not told, so it is none of the rest."""
    told = {alert.key for alert in group.alerts}
    rest = [alert for one in listed if one.status.state == "active" and (alert := one.alert).key not in told]
    alerts: tuple[Alert, ...] = (*group.alerts, *rest)
    return msgspec.structs.replace(group, alerts=alerts[:ALERTS_MAX], truncated=max(0, len(alerts) - ALERTS_MAX))
