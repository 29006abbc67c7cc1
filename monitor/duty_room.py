"""The desk of alerts in its place: what it is given of the rooms of the house."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from monitor.accounts.desk import Desk as Accounts
from monitor.alerts.handover_data import FeedStands, Reader
from monitor.alerts.house import House
from monitor.alerts.seen import WatchSight
from monitor.embedded_keeper import EmbeddedKeeper
from monitor.live.clock import Clock
from monitor.live.watch import Watch
from monitor.secret import SecretError
from monitor.store.batch import session_id
from monitor.store.db import Database, DatabaseError
from monitor.store.store import Store

READ_S_MAX = 10.0


def house_of(
    watch: Watch, clock: Clock, store: Store, accounts: Accounts, database: Database, keeper: EmbeddedKeeper | None
) -> House:
    """`keeper`: of the embedded server, where there is one."""

    @asynccontextmanager
    async def reading() -> AsyncIterator[Reader]:
        if keeper is not None:
            keeper.check()
        try:
            connection = await database.connect("reader", "livemon handover", command_timeout=READ_S_MAX)
        except (DatabaseError, SecretError) as error:
            raise ConnectionError(str(error)) from error
        try:
            yield cast(Reader, connection)  # asyncpg types its fetch by overloads that no protocol can match
        finally:
            await connection.close()

    return House(
        sight=WatchSight(watch, session_id), watch=watch, feeds=lambda: unwell(watch),
        sold=lambda: (((room.platform, room.external_id), room.sales_minor_total) for room in watch.rooms),
        now=clock.now, lane=store.inbox, sealing=store.sealer,
        frames=lambda: store.sealer.standing.frames,
        refused=lambda: sum(count for (_, state), count in accounts.counts().items() if state == "refused"),
        reading=reading,
    )  # fmt: skip


def unwell(watch: Watch) -> list[FeedStands]:
    """The feeds that a shift must hear of."""
    return [
        FeedStands(
            name, feed.platform, feed.hall, feed.state, feed.blind_from or feed.late_from, len(feed.rooms), feed.detail
        )
        for name, feed in watch.feeds.items()
        if feed.state != "ok"
    ]
