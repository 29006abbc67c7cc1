"""Who is watched, and by whom: the rooms of the roster and the feeds of the config, brought together."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from collectors.collector import FeedRow
from monitor.facts import RosterRoom, Slot
from monitor.live.room import Room
from monitor.live.session import Rules, replace
from monitor.live.sight import FeedSight, platform_of

Key = tuple[str, str]


class Muster:
    def __init__(self) -> None:
        self.rooms: list[Room] = []  # active ones, in the order of the roster
        self.by_key: dict[Key, Room] = {}
        self.feeds: dict[str, FeedSight] = {}
        self.parted: dict[Key, Room] = {}  # left the roster; an import that is undone brings them back
        self.generation = 0

    def load(
        self,
        roster: Sequence[RosterRoom],
        slots: Sequence[Slot],
        feeds: Sequence[FeedRow],
        limits: Rules,
        now: datetime,
    ) -> list[FeedSight]:
        """Bring both up to date; what stays keeps all that is known of it. Returns the feeds that are gone."""
        self._load_rooms([row for row in roster if row.active], slots, now)
        gone = self._load_feeds(feeds, limits, now)
        self._cast()
        return gone

    def rooms_of(self, feed: FeedRow) -> list[str]:
        """The external ids that this feed shall watch: its own list, else the roster's on its platform (and hall)."""
        if feed.rooms is not None:
            return list(dict.fromkeys(feed.rooms))
        platform = platform_of(feed)
        return [
            room.external_id
            for room in self.rooms
            if room.platform == platform and (not feed.hall or room.row.hall == feed.hall)
        ]

    def row(self, platform: str, external_id: str) -> RosterRoom | None:
        """The roster's row of a room that is watched."""
        room = self.by_key.get((platform, external_id))
        return None if room is None else room.row

    def parked(self, key: Key) -> Room:
        """A room that the roster does not hold, though it has a session: it may come back, or ends unseen."""
        if key not in self.parted:
            self.parted[key] = Room(RosterRoom(0, *key))
        return self.parted[key]

    def forget_parted(self) -> None:
        self.parted = {key: room for key, room in self.parted.items() if room.session.is_open}

    def _load_rooms(self, rows: Sequence[RosterRoom], slots: Sequence[Slot], now: datetime) -> None:
        planned: defaultdict[int, list[Slot]] = defaultdict(list)
        for slot in slots:
            planned[slot.room_id].append(slot)
        known = self.by_key | self.parted
        before = [room.row for room in self.rooms]
        self.rooms = []
        for row in rows:
            room = known.pop((row.platform, row.external_id), None) or Room(row)
            room.row, room.room_id = row, row.room_id
            room.plan(tuple(planned.get(row.room_id, ())), now)
            self.rooms.append(room)
        self.by_key = {(room.platform, room.external_id): room for room in self.rooms}
        self.parted = known
        self.generation += [room.row for room in self.rooms] != before

    def _load_feeds(self, rows: Sequence[FeedRow], limits: Rules, now: datetime) -> list[FeedSight]:
        before, self.feeds = self.feeds, {}
        alike: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            alike[row.KEYS].add(row.name)
        for row in rows:
            rules = rules_of(row, limits, frozenset(alike[row.KEYS] if row.KEYS else ()))
            feed = before.get(row.name)
            if feed is None or type(feed.row) is not type(row):
                self.feeds[row.name] = FeedSight(row, rules, now)
            else:
                feed.configured(row, rules)
                self.feeds[row.name] = before.pop(row.name)
        return list(before.values())

    def _cast(self) -> None:
        for room in (*self.rooms, *self.parted.values()):
            room.feeds, room.telling, room.watched = [], [], False
        for feed in self.feeds.values():
            keys = ((feed.platform, external_id) for external_id in self.rooms_of(feed.row))
            feed.rooms = [self.by_key[key] for key in keys if key in self.by_key]
            feed.listed = {room.external_id: room for room in feed.rooms}
            feed.dropped.clear()
            for room in feed.rooms:
                room.feeds.append(feed)
                room.watched |= feed.shows
                if feed.tells:
                    room.telling.append(feed)


def limits_of(grace_s: float, end_slack_s: float, settle_s: float, blind_s_max: float) -> Rules:
    """The limits of the event, whatever the kind of a feed."""
    return Rules(
        grace=timedelta(seconds=grace_s),
        end_slack=timedelta(seconds=end_slack_s),
        settle=timedelta(seconds=settle_s),
        blind_max=timedelta(seconds=blind_s_max),
    )


def rules_of(row: FeedRow, limits: Rules, key_feeds: frozenset[str]) -> Rules:
    """The limits of the event, with what this kind says of itself. `key_feeds`: those that tell the same keys."""
    return replace(
        limits,
        key_feeds=key_feeds,
        key_is_session=row.KEY_IS == "session",
        refused_told=row.TELLS_OF_REFUSED,
        refresh=timedelta(seconds=row.REFRESH_S),
        stall=timedelta(seconds=row.STALL_S - row.COUNTS_LATE_S),
        tells_end=row.TELLS_END,
    )
