"""A play as livemon's own watch understands it, written down as livemon would: no sockets, and no waiting."""

import random
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from typing import cast as cast_to

import msgspec

from collectors.asked_frame import framed
from collectors.collector import Collector, FeedRow
from collectors.hook import App, Delivery, Hook
from collectors.orders.push_json import PushJson
from collectors.playlist import Known, Look
from collectors.servers.hls import Hls
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.servers.nginx_rtmp_hooks import NginxRtmpHooks
from collectors.servers.node_media_server_hooks import NodeMediaServerHooks
from collectors.servers.srs_hooks import SrsHooks
from collectors.servers.zlmediakit_hooks import ZlmediakitHooks
from collectors.tick import Tick
from monitor.facts import BlindSpan, Change, Heard, RosterRoom, Slot
from monitor.live.watch import Watch
from monitor.rehearsal.compare.case import feeds_of
from monitor.rehearsal.event.cast import OWN, cast
from monitor.rehearsal.event.play import Outage, Play, RoomNow
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.house import CALLING, CALLS, SERVERS
from monitor.rehearsal.manners import server_of
from monitor.rehearsal.platforms.calls import Caller
from monitor.rehearsal.platforms.hall import Server
from monitor.rehearsal.platforms.hls import Packager
from monitor.rehearsal.platforms.relay import ticks as relayed
from monitor.rehearsal.platforms.stream import Streams
from monitor.rehearsal.scene import Scene, Trouble
from monitor.rehearsal.truth import NOT_TOLD, OFF_AIR, Truth
from tests.own_servers import ROWS
from tests.rehearsal.clouded import cloud_row, clouded
from tests.rehearsal.server_pages import SECRET, Seen, frame

POLL_S, REPORT_S = 5.0, 10.0
URL = "http://x/{room}.m3u8"
HOOKS: dict[str, type[FeedRow]] = {
    "nginx_rtmp": NginxRtmpHooks, "srs": SrsHooks, "node_media_server": NodeMediaServerHooks,
    "zlmediakit": ZlmediakitHooks,
}  # fmt: skip


class Rehearsed:
    """`halls` are dealt to the rooms, each with its server, which writes its pages, and livemon's collectors read them.
    `hung`: a hall and the span in which it does not answer; `down`: the span in which livemon is killed and away.

    `limits` are those of a monitor that judges otherwise than it was told to; a `careless` one takes no notice of
    failures.
    """

    def __init__(
        self, folder: Path, began_at: datetime, rooms: int, seed: int, speed: float,
        hung: tuple[str, float, float] = ("", 0, 0), down: tuple[float, float] = (0, 0), outages: Sequence[Outage] = (),
        limits: Mapping[str, float] = {}, careless: bool = False, halls: str = "ABCD",
    ) -> None:  # fmt: skip
        self.play = Play(cast(rooms, seed, halls), seed, Tempo(began_at, speed), outages)
        self.began_at, self.hung, self.down = began_at, hung, down
        self.limits, self.careless = limits, careless
        self.path = folder / "truth.sqlite"
        self.dice = random.Random(seed)
        self.members = feeds_of(self.play)
        self.changes: list[Change] = []
        self.spans: list[BlindSpan] = []
        self.ticks: list[tuple[int, datetime, bool | None, int | None]] = []
        self.rows = [
            RosterRoom(number + 1, part.platform, part.room, hall=part.hall)
            for number, part in enumerate(self.play.parts)
        ]
        self.servers = {feed: self._server(feed) for feed in self.members if feed.startswith("hall-")}
        relays = [
            PushJson(name=feed, platform=feed.removeprefix("relay-"), tells=["live", "viewers"])
            for feed in self.members
            if feed.startswith("relay-")
        ]
        self.feeds: list[FeedRow] = [row for row, *_ in self.servers.values()] + relays
        calling = [feed for feed in self.servers if feed[-1].upper() in CALLING]
        self.rows_calling = {
            feed: HOOKS[server_of(feed[-1].upper())](
                name=f"call-{feed[-1]}", hall=feed[-1].upper(), platform=OWN, app="a"
            )
            for feed in calling
        }
        self.feeds += self.rows_calling.values()
        halls_of_clouds = sorted({feed[6].upper() for feed in self.members if feed.startswith("cloud-")})
        self.rows_of_clouds = {hall: cloud_row(hall) for hall in halls_of_clouds}
        self.feeds += self.rows_of_clouds.values()
        self.known: dict[str, Known] = {}
        if playlists := {feed.partition(":")[0] for feed in self.members if feed.startswith("hls-")}:
            [self.hls] = (Hls(name=name, hall=name[-1].upper(), platform=OWN, url=URL) for name in playlists)
            self.feeds.append(self.hls)
        self.watch = self._watch(0)
        self.before: dict[str, list[RoomNow | None]] = {}
        self.queued: list[tuple[float, str, list[Tick]]] = []

    def at(self, clock_s: float) -> datetime:
        return self.began_at + timedelta(seconds=clock_s)

    def _server(self, feed: str) -> tuple[FeedRow, Server, Streams]:
        hall, numbers = feed[-1].upper(), self.members[feed]
        kind = server_of(hall)
        row = ROWS.get(kind) or NginxRtmp(name=feed, url="http://x/stat")
        rooms = [self.play.parts[number].room for number in numbers]
        told = {"name": feed, "hall": hall, "platform": OWN, "rooms": rooms, "interval_s": POLL_S}
        server = SERVERS[kind](hall, SECRET)
        return msgspec.structs.replace(row, **told), server, Streams(self.play, numbers, server.COUNTING)

    def _watch(self, now_s: float) -> Watch:
        slots = [
            Slot(part.number + 1, self._second(from_s), self._second(to_s))
            for part, from_s, to_s in self.play.planned(90_000)
        ]
        watch = Watch(**self.limits)
        watch.load(self.rows, slots, self.feeds, self.at(now_s))
        return watch

    def _second(self, clock_s: float) -> datetime:
        return self.at(round(clock_s)).replace(microsecond=0)

    def heard(self, heard: Heard) -> None:
        self.changes += heard.changes
        self.spans += heard.spans
        self.ticks += [(room_id, tick.at, tick.live, tick.viewers) for room_id, tick in heard.ticks]

    def run(self, lasts_s: float) -> None:
        """Each second of the clock; feeds have seconds of their own."""
        asked = [feed for feed in self.members if not feed.startswith("cloud-")]
        offset = {feed: place % (4 if feed.startswith("hls-") else 5) for place, feed in enumerate(asked)}
        with Truth(self.path) as truth:
            scene = Scene(self.play, self.play.tempo, truth, cast_to(Any, None), "", lambda name: b"")
            self.packager = Packager(scene, "J")
            callers = {
                feed: Caller(
                    scene,
                    "call",
                    feed[-1].upper(),
                    self.servers[feed][2],
                    CALLS[server_of(feed[-1].upper())],
                    Trouble(),
                )
                for feed in self.rows_calling
            }
            clouds = [clouded(scene, hall, row) for hall, row in self.rows_of_clouds.items()]
            for second in range(int(lasts_s)):
                away = self.down[0] <= second < self.down[1]
                if second == self.down[0] and self.down[1]:
                    truth.note(self.at(second), "fault_began", fault="monitor_kill")
                if second == self.down[1] and self.down[1]:
                    self._restart(second)
                for feed in asked:
                    every_s, told = WAYS[feed.partition("-")[0]]
                    if second % every_s == offset[feed] and not (away and told is not Rehearsed._report):
                        told(self, truth, feed, second + self.dice.uniform(0.0, 0.3))
                for feed, caller in callers.items():
                    self._call(truth, feed, caller, second + 0.35, away)
                for cloud in clouds:
                    for half_s in (0.0, 0.5):
                        cloud.go_on(truth, second + half_s, self.at, away, self._hear_cloud)
                if not away:
                    self._deliver(second + 0.4)
                    self.heard(self.watch.tend(self.at(second + 0.5)))

    def _restart(self, second: float) -> None:
        sessions = {(room.platform, room.external_id): room.session for room in self.watch.rooms}
        feeds = [sight.remembered() for sight in self.watch.feeds.values()]
        self.known.clear()
        self.watch = self._watch(second)
        self.watch.restore(sessions, feeds, self.at(second))
        self.heard(self.watch.tend(self.at(second)))

    def _poll(self, truth: Truth, feed: str, clock_s: float) -> None:
        served_at = self.at(clock_s + 0.01)
        if feed == self.hung[0] and self.hung[1] <= clock_s < self.hung[2]:
            truth.served(feed, served_at, None, "failed")
            if not self.careless:
                self.heard(self.watch.fail(feed, "timeout", self.at(clock_s + 0.1)))
            return
        rooms = self.play.rooms(clock_s + 0.01, self.members[feed])
        truth.served(feed, served_at, [room.viewers if room.publishing else OFF_AIR for room in rooms])
        row, server, streams = self.servers[feed]
        view = Seen(streams.at(clock_s + 0.01), clock_s + 0.01, served_at)
        ticks = cast_to(Collector, row).parse(frame(server, view), self.at(clock_s))
        self.heard(self.watch.hear(feed, self.at(clock_s), ticks, self.at(clock_s + 0.05)))

    def _call(self, truth: Truth, feed: str, caller: Caller, clock_s: float, away: bool) -> None:
        row, at = self.rows_calling[feed], self.at(clock_s + 0.01)
        for number, calls in caller.look(self.at(clock_s)).items():
            name = f"{row.name}:{self.play.parts[number].room}"
            for call in calls:
                delivery = msgspec.msgpack.encode(Delivery("POST", "/hooks/x", "", {}, call.told))
                ticks = cast_to(Hook, row).parse(delivery, at, App("a", OWN)).ticks
                says, stamped = [0 if call.live else OFF_AIR], call.at is not None
                if away:
                    truth.served(name, self.at(clock_s), None, "failed")
                else:
                    truth.served(name, call.at or self.at(clock_s), says, "stamped" if stamped else "answered")
                    self.heard(self.watch.hear(row.name, at, ticks, at, whole=False))
                at += timedelta(milliseconds=1)

    def _hear_cloud(self, row: FeedRow, tick: Tick, at: datetime) -> None:
        self.heard(self.watch.hear(row.name, at, [tick], at, whole=False))

    def _look(self, truth: Truth, feed: str, clock_s: float) -> None:
        """At the playlist of one room."""
        [number] = self.members[feed]
        room, served_at, at = self.play.parts[number].room, self.at(clock_s + 0.01), self.at(clock_s)
        shown, body = self.packager.written(number, self.play.room(number, clock_s + 0.01), clock_s + 0.01)
        truth.served(feed, served_at, self.packager.heard(room, shown, served_at, True))
        look = Look(room, self.known.get(room, Known()), missing=body is None)
        ticks = self.hls.parse(framed(look, body or b""), at)
        self.known[room] = look.understood(body or b"", at)
        self.heard(self.watch.hear(self.hls.name, at, ticks, self.at(clock_s + 0.05)))

    def _report(self, truth: Truth, feed: str, clock_s: float) -> None:
        clock_s = round(clock_s, 3)
        rooms, at = self.play.rooms(clock_s, self.members[feed]), self.at(clock_s)
        viewers, ticks = [NOT_TOLD] * len(rooms), []
        for place, (then, now) in enumerate(zip(self.before.get(feed, [None] * len(rooms)), rooms, strict=True)):
            for tick, says in relayed(then, now):
                told = {
                    name: value for name, value in tick.items() if name in ("live", "viewers", "session_key", "end")
                }
                ticks.append(Tick(feed, now.part.room, at, "status", **told))
                viewers[place] = says
        self.before[feed] = list(rooms)
        if ticks:
            truth.served(feed, at, viewers)
            self.queued.append((clock_s, feed, ticks))

    def _deliver(self, clock_s: float) -> None:
        for _, feed, ticks in self.queued:
            self.heard(self.watch.hear(feed, ticks[0].at, ticks, self.at(clock_s)))
        self.queued.clear()

    async def written(self, sql) -> None:
        """Into PostgreSQL, as livemon's writer does."""
        rooms = {(part.platform, part.room): number + 1 for number, part in enumerate(self.play.parts)}
        await sql.execute("SELECT ensure_tick_day(event_date(now()) + n) FROM generate_series(-4, 2) AS n")
        await sql.executemany(
            "INSERT INTO room (room_id, platform, external_id, hall) VALUES ($1, $2, $3, $4)",
            [(row.room_id, row.platform, row.external_id, row.hall) for row in self.rows],
        )
        await sql.executemany(
            "INSERT INTO schedule (room_id, starts_at, ends_at) VALUES ($1, $2, $3)",
            [(slot.room_id, slot.starts_at, slot.ends_at) for room in self.watch.rooms for slot in room.slots],
        )
        columns = ["room_id", "at", "live", "viewers"]
        await sql.copy_records_to_table("tick_raw", records=self.ticks, columns=columns, schema_name="livemon")
        sessions: dict[tuple[int, datetime], list[Change]] = defaultdict(list)
        for change in self.changes:
            sessions[rooms[change.platform, change.room], change.opened_at].append(change)
        for (room, opened_at), changes in sessions.items():
            session, closed = uuid.uuid4(), [change for change in changes if change.change == "closed"]
            end = (closed[0].at, closed[0].cause) if closed else (None, None)
            await sql.execute("INSERT INTO session VALUES ($1, $2, $3, $4, $5)", session, room, opened_at, *end)
            await sql.executemany(
                "INSERT INTO session_change VALUES ($1, $2, $3, $4, $5, $6)",
                [(session, change.number, room, change.at, change.change, change.cause) for change in changes],
            )
        await sql.executemany(
            "INSERT INTO blind (feed, from_at, to_at, cause) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (feed, room_id, from_at) DO UPDATE SET to_at = coalesce(blind.to_at, excluded.to_at)",
            [(span.feed, span.from_at, span.to_at, span.cause) for span in self.spans],
        )


# How often each is told of, and how; livemon asks the first two.
WAYS = {"hall": (POLL_S, Rehearsed._poll), "hls": (4.0, Rehearsed._look), "relay": (REPORT_S, Rehearsed._report)}
