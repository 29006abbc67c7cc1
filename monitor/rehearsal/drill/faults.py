"""What can go wrong in a drill: each kind of fault with the keys of its `[[fault]]` table."""

from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal, get_args

import msgspec

from ..event.cast import Part
from ..scene import How

Minute = Annotated[float, msgspec.Meta(ge=0, le=20_160)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Words = tuple[str, str]  # in Chinese, in English

QUIET_S = 30.0  # livemon and its PostgreSQL need so long after one fault of theirs before the next one


class See(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator should see at this minute of the play."""

    minute: Minute
    text: Text


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="what"):
    """What every fault has. Minutes are the world's, from the beginning of the play; one of `lasts_*` is given."""

    minute: Minute
    lasts_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] | None = None
    lasts_min: Annotated[float, msgspec.Meta(ge=0.1, le=1_440)] | None = None
    see: list[See] = msgspec.field(default_factory=list)
    do: Annotated[str, msgspec.Meta(max_length=500)] = ""

    TITLE: ClassVar[Words] = ("", "")
    LASTS: ClassVar[Literal["must", "may", "never"]] = "must"
    HITS: ClassVar[Literal["streams", "platforms", "programs"]] = "platforms"

    @property
    def from_s(self) -> float:
        return self.minute * 60

    @property
    def length_s(self) -> float:
        """0 for what happens at one instant."""
        return self.lasts_s or (self.lasts_min or 0.0) * 60

    @property
    def to_s(self) -> float:
        return self.from_s + self.length_s


class Streams(Fault, frozen=True, kw_only=True):
    """Rooms that answer to all keys that are given; of those a share, picked by the seed."""

    platform: Text | None = None
    room: Text | None = None
    hall: Text | None = None
    city: Text | None = None
    category: Text | None = None
    tier: Annotated[int, msgspec.Meta(ge=1, le=4)] | None = None
    share: Annotated[float, msgspec.Meta(ge=0.001, le=1)] = 1.0

    HITS = "streams"

    @property
    def wanted(self) -> dict[str, object]:
        keys = ("platform", "room", "hall", "city", "category", "tier")
        return {key: value for key in keys if (value := getattr(self, key)) is not None}

    def hits(self, part: Part) -> bool:
        return all(getattr(part, key) == value for key, value in self.wanted.items())


class StreamsDrop(Streams, tag="streams_drop", frozen=True, kw_only=True):
    """Encoders lose their connection."""

    TITLE = ("直播间断流", "streams drop")


class StreamsFreeze(Streams, tag="streams_freeze", frozen=True, kw_only=True):
    """Encoders hang with their connection open."""

    TITLE = ("直播间卡流", "streams freeze")


class Named(Fault, frozen=True, kw_only=True):
    """Platforms by their name in the play; `*` stands for any letters."""

    name: Text

    def names(self, platform: str) -> bool:
        return fnmatchcase(platform, self.name)


class FeedOutage(Named, tag="feed_outage", frozen=True, kw_only=True):
    """What a platform answers with fails."""

    how: How = "refuse"

    TITLE = ("接口故障", "an interface fails")


class PushesStop(Named, tag="pushes_stop", frozen=True, kw_only=True):
    """A platform delivers nothing, and goes on where it stopped when it is over."""

    TITLE = ("推送中断", "pushes stop")


class PushesTwice(Named, tag="pushes_twice", frozen=True, kw_only=True):
    """A platform delivers everything a second time."""

    TITLE = ("推送重复", "pushes come twice")


class PostgresRestart(Fault, tag="postgres_restart", frozen=True, kw_only=True):
    """The embedded server ends, by kill -9 or by a fast shutdown, and its guardian starts it again."""

    how: Literal["kill", "fast"] = "kill"

    TITLE, LASTS, HITS = ("数据库重启", "PostgreSQL restarts"), "never", "programs"


class PostgresStop(Fault, tag="postgres_stop", frozen=True, kw_only=True):
    """All processes of the embedded server stand still."""

    TITLE, HITS = ("数据库停顿", "PostgreSQL stands still"), "programs"


class MonitorKill(Fault, tag="monitor_kill", frozen=True, kw_only=True):
    """kill -9 of livemon; it is started again when this is over."""

    TITLE, HITS = ("监控进程被强制结束", "livemon is killed"), "programs"


class MonitorRestart(Fault, tag="monitor_restart", frozen=True, kw_only=True):
    """SIGTERM to livemon; it is started again, at once or when this is over."""

    TITLE, LASTS, HITS = ("监控重启", "livemon restarts"), "may", "programs"


AnyFault = (
    StreamsDrop | StreamsFreeze | FeedOutage | PushesStop | PushesTwice
    | PostgresRestart | PostgresStop | MonitorKill | MonitorRestart
)  # fmt: skip
KINDS: dict[str, type[AnyFault]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyFault)}


def what(fault: AnyFault) -> str:
    """Its kind as a plan writes it."""
    return str(fault.__struct_config__.tag)


def hit(fault: AnyFault) -> dict[str, object]:
    """The keys that say what it hits."""
    if isinstance(fault, Streams):
        return fault.wanted
    return {"name": fault.name} if isinstance(fault, Named) else {}


def clash(one: AnyFault, other: AnyFault) -> bool:
    """Two that cannot be at the same time: of one kind on one target, or both of the programs on this machine."""
    programs = one.HITS == other.HITS == "programs"
    if not programs and (what(one) != what(other) or not same_target(one, other)):
        return False
    quiet_s = QUIET_S if programs else 0.0
    return one.from_s < other.to_s + quiet_s and other.from_s < one.to_s + quiet_s


def same_target(one: AnyFault, other: AnyFault) -> bool:
    if isinstance(one, Streams) and isinstance(other, Streams):
        return one.wanted == other.wanted
    if isinstance(one, Named) and isinstance(other, Named):
        return one.names(other.name) or other.names(one.name)
    return False
