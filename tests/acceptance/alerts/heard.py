"""What three chat groups heard of a rehearsed day, held against the script of its play."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from monitor.rehearsal.event.play import Play
from tests.acceptance.alerts.speeds import PRODUCTION, Speed

DAY_S = 86_400.0
MESSAGES_MAX = 20  # a group, on a day on which nothing fails
SEEN_S = 60.0  # so long after a stop its alert has come: the longest interval of a feed, a scrape, the rule's own wait
WRONG_SINCE_S = 900.0  # a fall of viewers or sales is true if a fault of the stream began within so long before
STOPPED = {"LivemonRoomDropped", "LivemonRoomLost", "LivemonRoomsDroppedMany"}
CROWDS = {"LivemonPlatformOutage", "LivemonHallOutage"}
INFO, NOT_STARTED = ("LivemonViewersCollapsed", "LivemonSalesStalled"), "LivemonRoomNotStarted"
STOP_TAGS, CROWD_TAGS, BACK = {"断流", "停播", "断流未恢复", "未恢复"}, {"平台断流", "场馆断流"}, "恢复"
TAG = re.compile(r"【(\w+)】")
REHEARSAL = "【演练】"
USAGE = re.compile(r"^  (\S.*?) +([\d.]+)% of one core +([\d,]+) MB$", re.MULTILINE)


class Asked(NamedTuple):
    """What is played. `plan`: a ready plan's name or a file's; `change`: Python that spoils the livemon beside it."""

    rooms: int
    speed: float
    for_s: float
    plan: str
    watch: Speed = PRODUCTION
    change: str = ""


class Raised(NamedTuple):
    """One alert that livemon was told of, as it is in PostgreSQL."""

    name: str
    severity: str
    labels: dict[str, str]
    starts_at: datetime
    outcome: str

    @property
    def likely_over(self) -> bool:
        """Of tier 1, about the planned end: told in digests of its own, as a sign-off most likely (docs/duty.md)."""
        return self.name == "LivemonRoomDropped" and self.severity == "warning" and self.labels.get("tier") == "1"


@dataclass
class Heard:
    """A day, when it is over."""

    asked: Asked
    play: Play
    messages: dict[str, list[str]]  # by group
    alerts: list[Raised] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)  # sessions by why they closed
    drops: Counter[str] = field(default_factory=Counter)  # rows of drop_log by room
    output: str = ""

    @property
    def signed_off(self) -> int:
        """Sessions that livemon saw end as a broadcaster ends them."""
        return self.ends["ended"] + self.ends["scheduled"] + self.ends["unknown"]

    @property
    def pages(self) -> list[Raised]:
        """Stops of rooms, by whatever name, and whatever else is critical; not who signed off, most likely."""
        return [
            one for one in self.alerts if one.severity == "critical" or (one.name in STOPPED and not one.likely_over)
        ]

    def tags(self, group: str) -> Counter[str]:
        """How many messages of each kind, by the tag that they begin with."""
        return Counter(TAG.findall(text.removeprefix(REHEARSAL))[0] for text in self.messages[group])

    def told(self, group: str) -> Counter[tuple[str, str]]:
        """How often which rooms (by anchor) stood under which tag; a message of many rooms names ten of them."""
        anchors = [part.anchor for part in self.play.parts]
        found = Counter[tuple[str, str]]()
        for text in self.messages[group]:
            tag = ""
            for line in text.splitlines():
                tag = next(iter(TAG.findall(line.replace(REHEARSAL, ""))), tag)
                found.update((tag, anchor) for anchor in anchors if f"·{anchor}(" in line)
        return found

    def hit(self) -> set[str]:
        """The rooms (by anchor) whose streams a fault of the plan truly took, and gave back within their broadcast.

        Of a day that was cut short those alone that had time left to be told.
        """
        told_s = self.asked.for_s - (60.0 if self.asked.watch == PRODUCTION else 30.0)
        return {
            self.play.parts[number].anchor
            for outage in self.play.outages
            if outage.to_s < told_s
            for number in outage.rooms
            for broadcast in self.play.until(number, self.asked.for_s * self.play.speed)
            if any(fault.to_s < broadcast.ends_s for fault in broadcast.faults)
        }

    def struck(self) -> set[str]:
        """The rooms (by anchor) that any fault of the plan is about."""
        return {self.play.parts[number].anchor for outage in self.play.outages for number in outage.rooms}

    def wrong(self) -> list[str]:
        """What people were told of stops that was not so, or were not told, or twice. Nothing, on a good day."""
        hit, struck, told = self.hit(), self.struck(), self.told("duty")
        found = [
            f"{one.name} of {one.labels.get('anchor') or one.labels}, which did not drop"
            for one in self.alerts
            if one.name in STOPPED | CROWDS and not one.likely_over and one.labels.get("anchor") not in struck
        ]
        found += [
            f"{one.labels.get('anchor')} is said to have signed off, likely, and did not"
            for one in self.alerts
            if one.likely_over and not self._signed_off_by(one)
        ]
        found += [
            f"【{tag}】{anchor}, which did not drop"
            for tag, anchor in told
            if tag in STOP_TAGS and anchor not in struck
        ]
        found += [f"【{tag}】" for tag, times in self.tags("duty").items() if tag in CROWD_TAGS for _ in range(times)]
        for anchor in sorted(hit):
            stops, back = sum(told[tag, anchor] for tag in STOP_TAGS), told[BACK, anchor]
            if (stops, back) != (1, 1):
                found.append(f"{anchor} dropped and came back: told {stops} times, and that it is back {back} times")
        for name, messages in self.messages.items():
            others = len(messages) - sum(any(f"·{anchor}(" in text for anchor in struck) for text in messages)
            if others > MESSAGES_MAX:
                found.append(f"{others} messages to {name} that are about none of the drops: {self.tags(name)}")
        return found

    def signed_off_in_truth(self) -> int:
        """How many broadcasters signed off while it was played."""
        end_s = self.play.tempo.in_play(self.asked.for_s)
        told = [one for part in self.play.parts for one in self.play.until(part.number, end_s)]
        return sum(one.ending == "signed_off" and 0 < one.ends_s < end_s for one in told)

    def usage(self) -> dict[str, str]:
        """What the rehearsal says of its parts: of one core, and memory."""
        return {part: f"{share} %, {size} MB" for part, share, size in USAGE.findall(self.output)}

    def signing_off(self, from_s: float, to_s: float, platform: str) -> set[str]:
        """The rooms (by anchor) of a platform whose broadcasters sign off between these seconds of the world."""
        tempo = self.play.tempo
        return {
            part.anchor
            for part in self.play.parts
            if part.platform == platform
            for one in self.play.until(part.number, tempo.in_play(to_s))
            if one.ending == "signed_off" and tempo.in_play(from_s) < one.ends_s < tempo.in_play(to_s)
        }

    def false_alarms(self, name: str) -> int:
        """Of the alerts of this name, those of rooms in which nothing was wrong by the script of the play."""
        return sum(not self._is_true(one) for one in self.alerts if one.name == name)

    def _is_true(self, alert: Raised) -> bool:
        number = self._numbers.get((alert.labels.get("platform", ""), alert.labels.get("room", "")))
        if number is None:
            return False
        play_s = self.play.tempo.play_s(alert.starts_at)
        broadcasts = self.play.until(number, play_s)
        if alert.name == NOT_STARTED:
            return any(one.ending == "absent" and one.starts_s <= play_s <= one.planned_end_s for one in broadcasts)
        since_s = play_s - self.play.tempo.in_play(WRONG_SINCE_S)
        return any(since_s <= fault.from_s <= play_s for one in broadcasts for fault in one.faults)

    def _signed_off_by(self, alert: Raised) -> bool:
        number = self._numbers.get((alert.labels.get("platform", ""), alert.labels.get("room", "")))
        play_s = self.play.tempo.play_s(alert.starts_at)
        since_s = play_s - self.play.tempo.in_play(SEEN_S)
        return number is not None and any(
            one.ending == "signed_off" and since_s <= one.ends_s <= play_s for one in self.play.until(number, play_s)
        )

    @property
    def _numbers(self) -> dict[tuple[str, str], int]:
        return {(part.platform, part.room): part.number for part in self.play.parts}
