"""A monitor that does orders about accounts alone: `python -m tests.accounts.ordering CONFIG`, until it is killed."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor import config
from monitor.accounts.book import Book
from monitor.accounts.order_file import FOLDER
from monitor.accounts.orders import AccountOrders
from monitor.accounts.vault import ACCOUNT_KEY, Vault
from monitor.keys import keys_of
from monitor.store.spool import Spool


async def serve(path: Path) -> None:
    configured = config.load(path)
    spool = Spool(configured.data_dir / "spool")
    keys = keys_of(configured.account_key_file, configured.data_dir / ACCOUNT_KEY)
    platforms = {app.name: app.platform for app in configured.apps}

    async def call(work, *args):
        return await asyncio.to_thread(work, *args)

    def platform_of(app: str) -> str:
        return platforms.get(app, "")

    book = Book(Vault(call, spool.accounts, keys, platform_of), lambda heard: None, lambda: datetime.now(UTC))
    await book.open()
    orders = AccountOrders(configured.data_dir / FOLDER, keys, book, platform_of, lambda: datetime.now(UTC))
    print("ready", flush=True)
    await orders.run()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
