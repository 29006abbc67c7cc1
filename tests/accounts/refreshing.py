"""A program to be killed: keeps pair after pair of one account, and says the number of each before it is used.

`python -m tests.accounts.refreshing FOLDER` goes on from the pair that it finds there.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collectors.open_api import Tokens
from monitor.accounts.account import Account
from monitor.accounts.book import Book
from monitor.accounts.vault import Vault
from monitor.keys import Key
from monitor.store.spool import Spool

AT = datetime(2026, 11, 19, 12, tzinfo=UTC)


def pair(number: int) -> Tokens:
    return Tokens(str(number), AT, AT + timedelta(days=7), f"r{number}", AT + timedelta(days=14))


async def refresh(folder: Path) -> None:
    spool = Spool(folder / "spool")

    async def call(work, *args):
        return await asyncio.to_thread(work, *args)

    book = Book(Vault(call, spool.accounts, [Key(b"new " * 8)], str), lambda heard: None, lambda: AT)
    await book.open()
    known = book.get("app", "1")
    number = 0 if known is None else int(known.tokens.access)
    while True:
        await book.keep(Account("app", "doudian", "1", tokens=pair(number)))
        print(book.get("app", "1").tokens.access, flush=True)  # a call with it would go out now
        number += 1


if __name__ == "__main__":
    asyncio.run(refresh(Path(sys.argv[1])))
