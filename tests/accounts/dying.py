"""A program to be killed: refreshes what is due of a spool, against a played platform elsewhere, until nothing is due.

`python -m tests.accounts.dying` reads lines `FOLDER BASE POINT` and lives each in a process of its own that dies, by
kill -9, at its so-many-th moment: before a statement of the spool, before a call leaves, after its answer came. It
answers each line with `lived` or `died`. Point 0: it lives.
"""

import asyncio
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collectors.hook import App
from collectors.open_api import Answer, Call
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.client import Client
from monitor.accounts.failed import NotAnswered, Transport
from monitor.accounts.guarded_http import GuardedHttp
from monitor.accounts.refresher import Refresher
from monitor.accounts.terms import Terms, terms_of
from monitor.accounts.vault import Vault
from monitor.keys import Key
from monitor.store.spool import Spool
from tests.accounts.played import APP, PlayedApi, order

KEY = Key(b"k" * 32)
PER_S = 50.0
DUE = timedelta(hours=1)


def wall() -> datetime:
    return datetime.now(UTC)


def vault_of(spool: Spool) -> Vault:
    async def call[**P, T](work, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(work, *args, **kwargs)

    return Vault(call, spool.accounts, [KEY], lambda app: "played")


def rest(folder: Path, accounts: Iterable[Account]) -> None:
    """Lay them into a new spool."""
    spool = Spool(folder)
    try:
        asyncio.run(vault_of(spool).keep(list(accounts)))
    finally:
        spool.close()


def resting(folder: Path) -> list[Account]:
    spool = Spool(folder)
    try:
        return asyncio.run(vault_of(spool).load())
    finally:
        spool.close()


class Moments:
    def __init__(self, point: int) -> None:
        self._left = point

    def one(self, _what: object = None) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, transport: Transport) -> Transport:
        async def send(call: Call) -> Answer:
            self.one()
            try:
                answer = await transport(call)
            except NotAnswered:
                self.one()
                raise
            self.one()
            return answer

        return send


def terms(base: str) -> Terms:
    return terms_of(App(APP, "played", "key", (b"secret",)), PlayedApi(PER_S), api_url=base)


async def life(folder: Path, base: str, point: int) -> None:
    spool, moments, its = Spool(folder), Moments(point), terms(base)
    async with GuardedHttp(lambda: its.origins) as http:
        book = Book(vault_of(spool), lambda heard: None, wall)
        await book.open()
        spool.sql.set_trace_callback(moments.one)
        client = Client({APP: its}, book, moments.around(http), wall, lambda app, name, verdict: None)
        refresher, until = Refresher(client, wall, lambda app, outcome: None), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(refresher.work(until))
            while any(is_due(account) for account in book.all()):
                await asyncio.sleep(0.02)
            for account in book.all():
                if not account.refused:
                    await client.ask(APP, account.shop, order)
            until.set()
    spool.close()


def is_due(account: Account) -> bool:
    return not account.refused and (account.asked_at is not None or account.tokens.access_until < wall() + DUE)


def lived(folder: Path, base: str, point: int) -> bool:
    child = os.fork()
    if not child:
        try:
            asyncio.run(life(folder, base, point))
        except BaseException:  # noqa: BLE001  whatever it was, this process ends here
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a life ended in an error")
    return not os.WIFSIGNALED(status)


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    for line in sys.stdin:
        where, at, number = line.split()
        print("lived" if lived(Path(where), at, int(number)) else "died", flush=True)
