"""The desk of alerts: what is heard, told, and done about it by people, put together. It works without PostgreSQL."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import get_args

import aiohttp
from aiohttp import web

from monitor.alerts import boards, contacts, shift
from monitor.alerts.announcing import Announcing
from monitor.alerts.boards import Boards
from monitor.alerts.book import Book
from monitor.alerts.book_file import BookRefused
from monitor.alerts.contacts import Contact
from monitor.alerts.deadman import WATCHDOG, Deadman
from monitor.alerts.delivery import Clock
from monitor.alerts.duty import Duty
from monitor.alerts.duty_door import DutyDoor
from monitor.alerts.duty_order import KEY
from monitor.alerts.ending import Ending, Said
from monitor.alerts.escalating import Escalating
from monitor.alerts.escalation import Called
from monitor.alerts.handing_over import HandingOver
from monitor.alerts.hearing import Hearing
from monitor.alerts.house import House, Stands
from monitor.alerts.keeper import Keeper
from monitor.alerts.lately import Lately
from monitor.alerts.match import nobody_takes_the_rest
from monitor.alerts.mouths import Mouths
from monitor.alerts.notice import Language, Link
from monitor.alerts.page import AlertPage, Asked
from monitor.alerts.patience import Patience
from monitor.alerts.receiver import Outcome, Receiver
from monitor.alerts.robots.voice import voice_of
from monitor.alerts.runbooks import Runbooks
from monitor.alerts.silences import Alertmanager
from monitor.alerts.spoken import Spoken
from monitor.alerts.telling_facts import keep_bringing
from monitor.alerts.tokens import Tokens, secret_of
from monitor.alerts.webhook import Group
from monitor.alerts.whole import Whole
from monitor.config import Config
from monitor.http.alert_metrics import HEARTBEAT, AlertMetrics
from monitor.problem import of_file
from monitor.purpose import BOARD_SUFFIX

log = logging.getLogger(__name__)
PAGE_KEY = Path("alerts") / "page.key"  # under data_dir; who has it can sign links
ENDED_KEPT = timedelta(days=7)  # longer than any broadcast that somebody could still miss
SECOND_S = 1.0


def people_of(config: Config) -> Mapping[str, Contact]:
    """The contacts of the config. Raises ConfigError."""
    return {} if config.contacts is None else contacts.read(config.contacts)


class Desk:
    """`robots`: in a rehearsal they speak, too. Made when the watch has taken up what the spool remembers."""

    def __init__(self, config: Config, path: Path, house: House, metrics: AlertMetrics, robots: bool = False) -> None:
        """Raises ConfigError where the book, a key or the contacts will not do."""
        self.config, self._people, self._house, self._metrics = config, people_of(config), house, metrics
        try:
            book = Book(config.data_dir / "alerts")
            self._tokens = Tokens(secret_of(config.data_dir / PAGE_KEY))
            self._key = secret_of(config.data_dir / KEY)
        except (BookRefused, OSError) as error:
            raise of_file(path, f"alerts cannot be kept: {error}", "let livemon alone write there") from error
        self._runbooks = Runbooks()
        self._lately = Lately(house.sold, config.event_currency)
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        spoken = Spoken(self._boards, house.now, self._lately.sold)
        self.hearing = Hearing(book, house.sight, config.robots, spoken, house.now, lambda: self._mouths.wake())
        self._mouths = Mouths(
            self.hearing, Clock(house.now, time.monotonic), lambda robot: voice_of(robot, self._http, house.now),
            metrics.failed, config.purpose, robots, metrics.given_up,
        )  # fmt: skip
        self._announcing = Announcing(self.hearing, lambda: self.config.robots, house.sight, config.zone)
        self._watchdog, self._patience = asyncio.Event(), Patience()
        self._put_duty_together(book)
        metrics.outcomes_are(get_args(Outcome))
        self.configure(config, self._people)

    def _put_duty_together(self, book: Book) -> None:
        config, house, url = self.config, self._house, self.config.alertmanager_url
        ending = Ending(house.watch, house.lane, self.hearing, house.now)
        ending.again(Said(*each) for each in book.ended_by_people(house.now() - ENDED_KEPT))
        self._alertmanager = alertmanager = None if url is None else Alertmanager(self._http, url)
        self._keeper: Keeper | None = None
        if alertmanager is not None:
            self._keeper = Keeper(alertmanager, self.hearing, house.now, self._announcing.silence_over)
        self._duty = Duty(self.hearing, alertmanager, self._keeper, ending.end, house.now)
        self._handing_over = HandingOver(
            Stands(self.hearing, self._keeper, house), lambda: self.config.shifts,
            lambda ids: [contacts.called(self._people, each) for each in ids], self._announcing.to_group, house.now,
            config.zone,
        )  # fmt: skip
        self._escalating = Escalating(
            self.hearing, lambda: {} if self._keeper is None else self._keeper.holds,
            lambda at: shift.callees(self.config.shifts, at, config.zone),
            lambda of: contacts.called(self._people, of), self._links, self._announcing.to_takers, house.now,
            config.zone, {number: Called(*each) for number, each in book.escalated().items()},
        )  # fmt: skip

    def configure(self, config: Config, people: Mapping[str, Contact]) -> None:
        """The config was read, or read again, and with it its contacts."""
        self.config, self._people = config, people
        self.hearing.robots = config.robots
        self._metrics.robots_are(robot.name for robot in config.robots)
        self._mouths.follow(config.robots)
        if (doubt := nobody_takes_the_rest(config.robots)) is not None:
            log.warning("%s", doubt)

    def routes(self) -> list[web.RouteDef]:
        """For the web of `listen`."""
        config = self.config
        asked = Asked(
            self._duty, self._tokens, self._house.sight, lambda: self._people, self._house.now, config.zone,
            config.public_url or "", config.purpose, self._runbooks.page_of,
        )  # fmt: skip
        receiver = Receiver(Whole(self.hearing.hear, self._alertmanager).hear, self._metrics.posted, self._heard)
        door = DutyDoor(self._duty, self._key, self._handing_over.command)
        return [*receiver.routes(), *AlertPage(asked).routes(), *self._runbooks.routes(), *door.routes()]

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, work in self._works():
                group.create_task(self._patience.go_on(name, work), name=name)

    async def close(self) -> None:
        """When nobody posts any more."""
        await self._http.close()
        await self.hearing.close()

    # -----------------------------------------------------------------------------------------------------------------

    def _works(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        yield "robots", self._mouths.run
        yield "alerts", self.hearing.run
        yield "facts of alerts", lambda: keep_bringing(self.hearing, self._house.lane, self._house.sealing)
        yield "sales lately", self._note
        yield "calls of people", self._escalating.run
        yield "handovers", self._handing_over.run
        if self._keeper is not None:
            yield "silences", self._keeper.run
        if self.config.deadman_url is not None:
            deadman = Deadman(
                self._http, self.config.deadman_url, self._house.now, lambda: self._metrics.failed(HEARTBEAT)
            )
            yield "outside heartbeat", lambda: self._beat(deadman)

    async def _note(self) -> None:
        while True:
            self._lately.note(self._house.now())
            await asyncio.sleep(SECOND_S)

    async def _beat(self, deadman: Deadman) -> None:
        while True:
            await self._watchdog.wait()
            self._watchdog.clear()
            await deadman.beat()

    def _heard(self, group: Group) -> None:
        """While a work of ours fails the heartbeat is silent: an alarm that cannot be told here is told elsewhere."""
        if self._patience.well and any(alert.name == WATCHDOG and alert.firing for alert in group.alerts):
            self._watchdog.set()

    def _boards(self) -> Boards:
        config = self.config
        return Boards(
            config.grafana_url, config.public_url, self._token, self._people, config.zone, self._runbooks.page_of,
            self._room_id, BOARD_SUFFIX[config.purpose],
        )  # fmt: skip

    def _room_id(self, platform: str, room: str) -> int | None:
        found = self._house.sight.room(platform, room)
        return None if found is None else found.room_id

    def _token(self, number: int) -> str:
        return self._tokens.sign(number, self._house.now())

    def _links(self, number: int, language: Language) -> Sequence[Link]:
        return boards.act_link(number, self._boards(), language)
