"""Columns of tables: what they are called, in what unit, on what colour, and where a click leads."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from monitor.platform_words import PLATFORMS

from .words import Say

# One colour for each state of a room, on every board: code of livemon_room_state -> (Chinese, English, colour).
STATES = {
    1: ("直播中", "live", "green"),
    2: ("断流", "dropped", "orange"),
    4: ("断流未恢复", "lost", "red"),
    3: ("看不见", "blind", "purple"),
    5: ("无数据源", "unwatched", "dark-purple"),
    0: ("未开播", "offline", "text"),
}
# Money in the major unit; `python -m grafana.boards --currency` writes another sign.
MONEY = "currency:financial:¥"
# In the zone of the board. Grafana's unit that leaves out today's date means the day of the browser, wherever that is:
# half past midnight in Shanghai would look like tonight to a browser in Europe.
INSTANT = "time:MM-DD HH:mm:ss"
WHOLE = "locale"  # every digit, 1,234: `short` without decimals makes 1 K of it
HALL_LINK = "/d/livemon-hall/hall?var-hall=${__data.fields.%s:percentencode}&${__url_time_range}"
# In pixels; a column without a width has 150 at least, and what does not fit is cut off.
INSTANT_WIDTH, SPAN_WIDTH, HALL_WIDTH = 120, 85, 90
PLATFORM_WIDTH = 122  # room for 自建 nginx-rtmp
ROOM_LINK = "/d/livemon-room/room?var-room=${__data.fields.room_id}&${__url_time_range}"


class Column(NamedTuple):
    """`name`: in the SQL; `title`: for people. `link`: a URL, with Grafana's variables of a data link in it."""

    name: str
    title: str
    unit: str = ""
    decimals: int | None = None
    width: int | None = None
    link: tuple[str, str] | None = None  # words, URL
    colors: Mapping[str, tuple[str, str]] | None = None  # value -> (words, colour of the cell)
    words: Mapping[str, tuple[str, str]] | None = None  # value -> (words, colour), the cell as it is
    steps: Sequence[tuple[float | None, str]] | None = None  # from this number on, the colour of the cell
    bar: bool = False  # drawn as a bar behind its number
    hidden: bool = False

    @property
    def properties(self) -> list[DynamicConfigValue]:
        """What Grafana is told of the field."""
        told: list[tuple[str, Any]] = [("displayName", self.title)]
        if unit := self.unit or (WHOLE if self.steps is not None else ""):  # steps are of a number
            told.append(("unit", unit))
        if self.decimals is not None:
            told.append(("decimals", self.decimals))
        if self.width is not None:
            told.append(("custom.width", self.width))
        if self.link is not None:
            told.append(("links", [{"title": self.link[0], "url": self.link[1]}]))
        if self.colors is not None:
            told.append(("mappings", [value_mapping(self.colors)]))
            cell = {"type": "color-background", "mode": "basic", "applyToRow": False}
            told.append(("custom.cellOptions", cell))
        if self.words is not None:
            told.append(("mappings", [value_mapping(self.words)]))
        if self.steps is not None:
            steps = [{"color": color, "value": value} for value, color in self.steps]
            told.append(("thresholds", {"mode": "absolute", "steps": steps}))
            told.append(("color", {"mode": "thresholds"}))
            told.append(("custom.cellOptions", {"type": "color-background", "mode": "basic", "applyToRow": False}))
        if self.bar:  # from 0 to the largest of this column, not of all numbers in the table
            told.append(("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}))
            told += [("min", 0), ("fieldMinMax", True), ("color", {"mode": "fixed", "fixedColor": "blue"})]
        if self.hidden:  # of Grafana until 12.1, and since
            told += [("custom.hidden", True), ("custom.hideFrom.viz", True)]
        return [DynamicConfigValue(name, value) for name, value in told]


def value_mapping(colors: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    told = enumerate(colors.items())
    options = {value: {"text": words, "color": color, "index": place} for place, (value, (words, color)) in told}
    return {"type": "value", "options": options}


def platform(say: Say, name: str = "platform") -> Column:
    """By the name that people use."""
    words = {key: (say(told["zh"], told["en"]), "text") for key, told in PLATFORMS.items()}
    return Column(name, say("平台", "Platform"), width=PLATFORM_WIDTH, words=words)


def room(say: Say, name: str = "anchor") -> Column:
    """Who broadcasts; a click leads to the board of the room at the same time. The query also gives `room_id`."""
    return Column(name, say("主播", "Anchor"), link=(say("直播间看板", "Board of the room"), ROOM_LINK))


def room_id() -> Column:
    """For the links of the row; not shown."""
    return Column("room_id", "room_id", hidden=True)


def hall(say: Say, *, pattern: str = "") -> Column:
    """`pattern`: the column that holds it as a value of $hall (see halls.sql); then a click leads to its board."""
    link = (say("场馆看板", "Board of the hall"), HALL_LINK % pattern) if pattern else None
    return Column("hall", say("场馆", "Hall"), width=HALL_WIDTH, link=link)


def state(say: Say, name: str = "state_code") -> Column:
    """A code of livemon_room_state in words, on its colour."""
    words = {str(code): (say(zh, en), color) for code, (zh, en, color) in STATES.items()}
    return Column(name, say("状态", "State"), width=110, colors=words)


def money(name: str, title: str, width: int | None = None) -> Column:
    """In the major unit, as SQL's numeric(18,2) is."""
    return Column(name, title, unit=MONEY, decimals=2, width=width)


def seconds(name: str, title: str) -> Column:
    return Column(name, title, unit="s", decimals=0, width=SPAN_WIDTH)


def instant(name: str, title: str) -> Column:
    return Column(name, title, unit=INSTANT, width=INSTANT_WIDTH)


def count(name: str, title: str, width: int | None = None, *, bar: bool = False) -> Column:
    return Column(name, title, unit=WHOLE, decimals=0, bar=bar, width=width)
