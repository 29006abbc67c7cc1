"""The reader: kept frames become sales and ticks, in their order, each once, and the frame is done with what it said.

All comes from the spool, what waited there at the start as what was kept a moment ago: there is no second way. A frame
that needs an answer of the platform stays pending and is read again when the answer is there.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence, Set
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast

from collectors.collector import FeedRow, Now
from collectors.hook import App, Need, Notice
from collectors.tick import Sale
from monitor.answers import Remembered
from monitor.facts import Heard, Quarantined
from monitor.live.watch import Watch
from monitor.sale_rules import SaleRules, filed_from
from monitor.store.books import Seal
from monitor.store.cipher import ITEM, CannotDecrypt
from monitor.store.frame_table import KeptFrame
from monitor.store.frames import FrameLane
from monitor.store.keeping import CannotRevive
from monitor.store.store import Store
from monitor.understanding import Apart, Parsing, Understood, Unreadable, understand

log = logging.getLogger(__name__)
DETAIL_S_MAX = 7 * 86_400.0
CHUNK_FRAMES, CHUNK_BYTES = 64, 1_048_576
OVERDUE_MAX = 500  # given up at once
ANSWERS_MAX = 1_000  # answers that wait to be read with their frames
OVERDUE_EVERY_S = 60.0
COPIES_BYTES_MAX = 4_194_304  # of one frame, beside its items that cannot be written
FACTS_OF_A_FRAME = 16
LOUD_EVERY_S = 60.0
ROSTER = Need("roster", "")
NOT_READABLE = "its bytes cannot be read: damaged on disk, or encrypted under another spool key"

Found = tuple[KeptFrame, bytes | None]
"""A kept frame, and what it says; None where that cannot be read."""


class Reader:
    """`app_of` gives the application that a feed's row names, None while the config lacks it; `watching` says whether
    the rooms and their open sessions are known."""

    def __init__(
        self,
        store: Store,
        lane: FrameLane,
        watch: Watch,
        now: Now,
        rules: SaleRules,
        app_of: Callable[[FeedRow], App | None],
        failed: Callable[[str], None] = lambda feed: None,
        detail_s_max: float = DETAIL_S_MAX,
        watching: Callable[[], bool] = lambda: True,
    ) -> None:
        self.rules, self.app_of, self.failed, self.watching = rules, app_of, failed, watching
        self._store, self._lane, self._watch, self._now = store, lane, watch, now
        self._detail_max = timedelta(seconds=detail_s_max)
        self._details = Remembered()
        self._answers: asyncio.Queue[Need] = asyncio.Queue(ANSWERS_MAX)
        self._unsealed: dict[int, tuple[Need, ...]] = {}  # frames put and not on disk yet; without needs: finished
        self._after = 0
        self._overdue_at = self._loud_at = -LOUD_EVERY_S
        self._read_on = asyncio.Event()
        self.pushed: Callable[[str, Sequence[Sale], datetime], None] = lambda feed, sales, at: None
        """May be set: it is told of the sales of each delivery that was understood, and when that was received."""
        self.noticed: Callable[[str, Sequence[Notice]], Awaitable[None]] = _to_nobody
        """May be set: what the platform tells an app of itself; the frame is finished when it comes back."""
        store.sealer.sealed = self._sealed

    async def run(self) -> None:
        """Read until cancelled; what is not read by then waits on disk."""
        self._after = await self._store.sealer.call(self._store.spool.frames.before_waiting)
        while True:
            self._lane.came.clear()
            while not self._answers.empty():
                await self._read_again(self._answers.get_nowait())
            await self._give_up_overdue()
            found = await self._store.sealer.call(self._next)
            for kept, frame in found:
                await self._read(kept, frame)
                self._after = kept.seq
            self._read_on.set()
            if not found and self._answers.empty():
                with suppress(TimeoutError):
                    async with asyncio.timeout(OVERDUE_EVERY_S):
                        await self._lane.came.wait()

    def read_to(self) -> int:
        """All that is on disk up to this number has been read once."""
        return self._after

    async def answered(self, platform: str, need: Need, answer: bytes) -> None:
        """The platform's answer to a need: the frames that wait for it are read again. Waits if many answers do."""
        self._details.put(platform, need, answer)
        await self._answers.put(need)
        self._lane.came.set()

    async def caught_up(self) -> None:
        """Wait until all that is on disk by now has been read once."""
        last = await self._store.sealer.call(self._store.spool.frames.last_waiting)
        while self._after < last:
            self._read_on.clear()
            await self._read_on.wait()

    async def needed(self, needs: Set[Need]) -> Set[Need]:
        """Those of these that deliveries wait for, the marks of some of which are still on their way to the disk."""
        unsealed = {need for marks in self._unsealed.values() for need in marks if need in needs}
        return unsealed | await self._store.sealer.call(self._store.spool.frames.asked_for, needs - unsealed)

    def configured(self, feeds: Iterable[FeedRow]) -> None:
        """The feeds and applications of the present config: frames that came before them have waited for these."""
        names = {("feed", row.name) for row in feeds} | {("app", getattr(row, "app", "")) for row in feeds}
        for what, name in sorted(names):
            with suppress(asyncio.QueueFull):  # of more than a thousand feeds the next reload takes the rest
                self._answers.put_nowait(Need(what, name))
        self._lane.came.set()

    def rostered(self) -> None:
        """Rooms and their sessions are known now: frames with ticks have waited for that."""
        with suppress(asyncio.QueueFull):
            self._answers.put_nowait(ROSTER)
        self._lane.came.set()

    # --- one frame ---------------------------------------------------------------------------------------------------

    def _next(self) -> list[Found]:
        return self._opened(self._store.spool.frames.waiting(self._after, CHUNK_FRAMES, CHUNK_BYTES))

    def _load(self, seqs: Iterable[int]) -> list[Found]:
        return self._opened(self._store.spool.frames.load(seqs))

    def _opened(self, frames: Iterable[KeptFrame]) -> list[Found]:
        """In the spool's thread, as the reading from disk is."""
        found: list[Found] = []
        for kept in frames:
            try:
                found.append((kept, self._lane.hours.open(kept.body)))
            except CannotDecrypt:
                found.append((kept, None))
        return found

    async def _read(self, kept: KeptFrame, frame: bytes | None) -> None:
        """One frame, understood or not, ends in the inbox; the loop turns once for each."""
        at = datetime.fromtimestamp(kept.received_at, UTC)
        if frame is None:
            self._be_loud(kept, NOT_READABLE)
            await self._quarantine(kept, NOT_READABLE, self._kept_for_good(kept, frame))
            return
        try:
            understood = self._understood(kept.feed, frame, at)
        except Unreadable as error:
            self.failed(kept.feed)
            if not error.foreseen:
                self._be_loud(kept, error.reason)
            await self._quarantine(kept, error.reason, self._kept_for_good(kept, frame))
            return
        if understood.needs:
            await self._room(0, 1)
            self._unsealed[kept.seq] = understood.needs
            self._store.inbox.put(Heard(frames_pending=[(kept.seq, understood.needs)]))
            return
        if understood.notices:
            await self.noticed(getattr(self._watch.feeds[kept.feed].row, "app", ""), understood.notices)
        await self._room(len(understood.ticks), len(understood.sales) + len(understood.apart) + FACTS_OF_A_FRAME)
        # From here to the put nothing is awaited: the order of the spool is the order of the steps.
        heard = self._watch.hear(kept.feed, at, understood.ticks, self._now(), whole=False)
        heard.ticks_from = filed_from(at, self.rules.event_starts_at) if understood.filed else None
        heard.sales += understood.sales
        heard.quarantine += self._apart(kept.feed, at, frame, understood.apart)
        heard.frames.append(kept.seq)
        self._unsealed[kept.seq] = ()
        self._store.inbox.put(heard)
        self.pushed(kept.feed, understood.sales, at)

    def _understood(self, feed: str, frame: bytes, at: datetime) -> Understood:
        sight = self._watch.feeds.get(feed)
        if sight is None:
            return Understood(needs=(Need("feed", feed),))
        app = self.app_of(sight.row)
        if app is None:
            return Understood(needs=(Need("app", getattr(sight.row, "app", "")),))
        understood = understand(cast(Parsing, sight.row), app, frame, at, self._details.of(sight.platform), self.rules)
        # A spool that is new does not know the rooms yet, and what was acknowledged must not be lost for that.
        return Understood(needs=(ROSTER,)) if understood.ticks and not self.watching() else understood

    def _apart(self, feed: str, at: datetime, frame: bytes, items: Iterable[Apart]) -> list[Quarantined]:
        """Items that cannot be written, each with the whole delivery, as only that can be read again."""
        rows, room = list[Quarantined](), COPIES_BYTES_MAX
        for item in items:
            room -= len(frame)
            payload = self._lane.cipher.encrypt(frame) if room >= 0 else self._lane.cipher.encrypt(item.raw, ITEM)
            rows.append(Quarantined(feed, item.kind, item.reason, at, item.sample, payload))
        return rows

    def _kept_for_good(self, kept: KeptFrame, frame: bytes | None) -> bytes:
        """Under the spool key, as the key of its hour goes; what cannot be read stays as it is."""
        return kept.body if frame is None else self._lane.cipher.encrypt(frame)

    async def _quarantine(self, kept: KeptFrame, reason: str, payload: bytes) -> None:
        await self._room(0, 1)
        at = datetime.fromtimestamp(kept.received_at, UTC)
        bad = Quarantined(kept.feed, "frame", reason, at, f"delivery {kept.seq}", payload)
        self._unsealed[kept.seq] = ()
        self._store.inbox.put(Heard(frames_quarantined=[(kept.seq, bad)]))

    async def _room(self, ticks: int, facts: int) -> None:
        await asyncio.sleep(0)  # room may be there at once, and thousands of frames wait behind this one
        await self._store.inbox.room(ticks, facts)

    def _be_loud(self, kept: KeptFrame, reason: str) -> None:
        """Nobody thought of this one. What it stumbled over is not said: it may be somebody's name."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._loud_at >= LOUD_EVERY_S:
            self._loud_at = now_s
            log.error("feed %s: delivery %d cannot be read: %s", kept.feed, kept.seq, reason)

    # --- pending frames ----------------------------------------------------------------------------------------------

    async def _read_again(self, need: Need) -> None:
        """The frames that waited for this, those whose mark is still on its way to the disk among them."""
        call, needing = self._store.sealer.call, self._store.spool.frames.needing
        seqs, after = sorted(seq for seq, needs in self._unsealed.items() if need in needs), 0
        while True:
            for kept, frame in await call(self._load, self._open(seqs)):
                await self._read(kept, frame)
            seqs = await call(needing, need, after, CHUNK_FRAMES)
            if not seqs:
                return
            after = seqs[-1]

    def _open(self, seqs: Iterable[int]) -> list[int]:
        """Without those that are finished, though the disk does not say so yet."""
        return [seq for seq in seqs if self._unsealed.get(seq) != ()]

    async def _give_up_overdue(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._overdue_at < OVERDUE_EVERY_S:
            return
        self._overdue_at = now_s
        before = (self._now() - self._detail_max).timestamp()
        seqs = await self._store.sealer.call(self._store.spool.frames.overdue, before, OVERDUE_MAX)
        for kept, frame in await self._store.sealer.call(self._load, self._open(seqs)):
            payload = self._kept_for_good(kept, frame)
            await self._quarantine(kept, "no answer of the platform came in time", payload)

    def _sealed(self, seal: Seal) -> None:
        """These marks are on disk now."""
        for seq in (*seal.frames, *seal.frames_quarantined):
            self._unsealed.pop(seq, None)
        for seq, needs in seal.frames_pending:
            if self._unsealed.get(seq) == needs:
                del self._unsealed[seq]

    # --- back from quarantine ----------------------------------------------------------------------------------------

    async def bring_back(self, kind: str, feed: str, at: datetime, payload: bytes, sample: str) -> Heard:
        """A delivery that a person wants tried again, as a new receipt. Raises CannotRevive, SpoolFull.

        A frame is kept once more and goes its usual way. Of an item the whole delivery is read, and counts what of it
        is good now: what was written then is a duplicate.
        """
        frame = self._whole(payload)
        if kind == "frame":
            await self._lane.keep(feed, frame, at)
            return Heard()
        try:
            understood = self._understood(feed, frame, at)
        except Unreadable as error:
            raise CannotRevive(error.reason) from error
        if understood.needs:
            await self._lane.keep(feed, frame, at)
            return Heard()
        still = next((item.reason for item in understood.apart if item.sample == sample), None)
        if still is not None:
            raise CannotRevive(still)
        if kind == "tick":  # nothing names it, so beside the good ones of its delivery it cannot be told
            raise CannotRevive("it would be good now, but a tick is not read twice: let it be sent again")
        return Heard(sales=understood.sales)

    def _whole(self, payload: bytes) -> bytes:
        cipher = self._lane.cipher
        try:
            return self._lane.hours.open(payload)
        except CannotDecrypt as error:
            why = str(error)
        with suppress(CannotDecrypt):
            cipher.decrypt(payload, ITEM)
            why = "its delivery is kept whole with other rows of it: retry those"
        raise CannotRevive(why)


async def _to_nobody(_app: str, _notices: Sequence[Notice]) -> None:
    """Where no accounts are kept."""
