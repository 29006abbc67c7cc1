"""A room in words: who it is, since when it is stopped, what it had before. What is not known is left out. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from monitor.alerts.alert import Alert
from monitor.alerts.alert_words import hall_of, money_of, span_of, time_of
from monitor.alerts.boards import Boards
from monitor.alerts.contacts import Contact, called
from monitor.alerts.notice import Language
from monitor.alerts.sight import STOPPED, RoomSight
from monitor.platform_words import platform_name

SALES_MINUTES = 10
PICTURES: dict[str, dict[Language, str]] = {  # of what a player of ours found; of all else there is nothing to say
    "moving": {"zh": "拉流查看:画面正常", "en": "a player still gets a moving picture"},
    "sound_only": {"zh": "拉流查看:只有声音,没有画面", "en": "a player gets sound without a picture"},
    "picture_stands": {"zh": "拉流查看:画面不动,声音正常", "en": "a player gets sound, and a picture that stands"},
    "nothing": {"zh": "拉流查看:收不到画面和声音", "en": "a player gets neither picture nor sound"},
    "unreachable": {"zh": "拉流查看:播放地址连不上", "en": "no player can reach the server"},
}
Sold = tuple[int, str]
Sales = Mapping[tuple[str, str], Sold]
"""What a room sold in the last ten minutes before it stopped: minor units, currency."""


class Speech(NamedTuple):
    """In which language, at which instant, with which people."""

    language: Language
    now: datetime
    boards: Boards
    sales: Sales


def sight_of(alert: Alert, rooms: Mapping[tuple[str, str], RoomSight]) -> RoomSight:
    """The room of an alert; of one that is not known any more, what its labels say."""
    assert alert.room is not None  # noqa: S101 - only alerts of a room are asked
    labels = alert.labels
    told = RoomSight(
        *alert.room, labels.get("anchor", ""), labels.get("city", ""), labels.get("hall", ""), tells_end=True
    )
    return rooms.get(alert.room, told)


def who(room: RoomSight, language: Language) -> str:
    """大连·王姐海鲜(视频号)"""
    named = "·".join(part for part in (room.city, room.anchor or room.room) if part)
    platform = platform_name(room.platform, language)
    return f"{named}({platform})" if language == "zh" else f"{named} ({platform})"


def stopped(room: RoomSight, since: datetime, speech: Speech) -> str:
    """20:14:05 停,已 25 秒; where its source tells no sign-off from a failure, that is said."""
    at, ago = time_of(since, speech.now, speech.boards.zone), span_of(speech.now - since, speech.language)
    if speech.language == "zh":
        return f"{at} {'停' if room.tells_end else '停播,该来源不区分下播与断流'},已 {ago}"
    doubt = "" if room.tells_end else ", its source cannot tell a sign-off from a failure"
    return f"stopped at {at}{doubt}, {ago} ago"


def since_of(room: RoomSight, alert: Alert) -> datetime:
    """When it stopped, as livemon saw it; the alert itself comes some seconds later."""
    return room.since if room.since is not None and room.state in STOPPED else alert.starts_at


def before(room: RoomSight, speech: Speech) -> str:
    """停前在线 12,340,近 10 分钟成交 ¥86,200"""
    zh = speech.language == "zh"
    parts = []
    if room.viewers_before is not None:
        parts.append(f"停前在线 {room.viewers_before:,}" if zh else f"{room.viewers_before:,} viewers before")
    if (sold := speech.sales.get((room.platform, room.room))) is not None:
        money = money_of(*sold)
        parts.append(f"近 {SALES_MINUTES} 分钟成交 {money}" if zh else f"{money} sold in {SALES_MINUTES} min")
    return (", " if not zh else ",").join(parts)


def looked(room: RoomSight, speech: Speech) -> str:
    """拉流查看:只有声音,没有画面"""
    return PICTURES[room.picture][speech.language] if room.picture in PICTURES else ""


def place(room: RoomSight, speech: Speech) -> str:
    """3 号馆,联系人 张三"""
    zh = speech.language == "zh"
    name = contact_of(room, speech.boards).name if room.contact else ""
    contact = (f"联系人 {name}" if zh else f"contact {name}") if name else ""
    hall = hall_of(room.hall, speech.language) if room.hall else ""
    return (", " if not zh else ",").join(part for part in (hall, contact) if part)


def contact_of(room: RoomSight, boards: Boards) -> Contact:
    return called(dict(boards.contacts), room.contact)
