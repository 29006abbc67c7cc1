"""A silence as Alertmanager keeps it, and the one by which a person holds an alert: an acknowledgement is a silence."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, Self

import msgspec

BEFORE = timedelta(minutes=1)
ACKNOWLEDGED = re.compile(r"livemon ack #(\d{1,15}) by (.{1,128}?)(?:: (.*))?", re.DOTALL)

State = Literal["active", "pending", "expired"]


class Matcher(msgspec.Struct, frozen=True, rename="camel"):
    """One condition on a label; a label that is missing counts as empty."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def takes(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.name, "")
        if not self.is_regex:
            return (value == self.value) is self.is_equal
        try:
            return (re.fullmatch(self.value, value, re.DOTALL) is not None) is self.is_equal
        except re.error:  # of another dialect: it takes nothing, so that nobody is thought to hold what he may not
            return False

    def __str__(self) -> str:
        sign = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
        text = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{sign[self.is_regex, self.is_equal]}"{text}"'


class Status(msgspec.Struct, frozen=True):
    state: State = "active"


class Silence(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One silence; `id` empty: it is yet to be put. Times are aware."""

    id: str = ""
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str = ""
    comment: str = ""
    status: Status = Status()

    @property
    def state(self) -> State:
        return self.status.state

    @property
    def acknowledges(self) -> int | None:
        """The episode of an acknowledgement; None: it is an ordinary silence."""
        found = ACKNOWLEDGED.fullmatch(self.comment)
        return int(found[1]) if found else None

    @property
    def room(self) -> tuple[str, str] | None:
        """(platform, room) where it is about one room."""
        exact = {each.name: each.value for each in self.matchers if each.is_equal and not each.is_regex}
        platform, room = exact.get("platform", ""), exact.get("room", "")
        return (platform, room) if platform and room else None

    @property
    def by(self) -> str:
        """Who holds it."""
        found = ACKNOWLEDGED.fullmatch(self.comment)
        return found[2] if found else self.created_by

    @property
    def reason(self) -> str:
        found = ACKNOWLEDGED.fullmatch(self.comment)
        return (found[3] or "") if found else self.comment

    def until(self, ends_at: datetime) -> Self:
        """The same, for longer: Alertmanager changes it under its id."""
        return msgspec.structs.replace(self, ends_at=ends_at)

    def takes(self, labels: Mapping[str, str]) -> bool:
        return all(matcher.takes(labels) for matcher in self.matchers)


def acknowledgement(
    number: int, by: str, reason: str, labels: Mapping[str, str], at: datetime, until: datetime
) -> Silence:
    """The silence by which `by` holds this alert, and no other: it has all of its labels.

    It is put to begin a minute ago, which Alertmanager takes for its own now: with a clock that is behind ours it would
    be pending, and hold nothing yet.
    """
    comment = f"livemon ack #{number} by {by}" + (f": {reason}" if reason else "")
    matchers = tuple(Matcher(name, value) for name, value in sorted(labels.items()))
    return Silence(matchers=matchers, starts_at=at - BEFORE, ends_at=until, created_by=by, comment=comment)
