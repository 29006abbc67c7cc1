"""`livemon import` with a real monitor and a real database: a file counts once, by whichever way it comes."""

import asyncio
import csv
import io
import json
import time
from pathlib import Path

import pytest

from collectors.orders.push_json import signature
from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.rtmp_hall import free_ports

pytestmark = [pytest.mark.real]

SECRET = "a secret of the files"
CONFIG = """\
data_dir = "data"
listen = "127.0.0.1:{port}"
hooks_listen = "127.0.0.1:{hooks}"
roster = "roster.csv"
dsn = "postgresql://livemon_writer@/{name}?host={host}"
dsn_password_file = "pg"

[[app]]
name = "files"
platform = "push_json"
secret_file = "secret"

[[feed]]
kind = "push_json"
name = "files"
app = "files"
platform = "doudian"
"""
ROSTER = "platform,room,anchor\ndoudian,直播间1,甲\ndoudian,room2,乙\n"
SALES, TICKS = 1_203, 700


class Ground:
    """A folder with a config, a roster and files of the last hour."""

    def __init__(self, folder: Path, database) -> None:
        port, self.hooks = free_ports(2)
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        for name, secret in (("pg", database.server.password("livemon_writer")), ("secret", SECRET)):
            (folder / name).write_text(secret)
            (folder / name).chmod(0o600)
        (folder / "roster.csv").write_text(
            "platform,room,anchor\ndoudian,直播间1,甲\ndoudian,room2,乙\n", encoding="utf-8"
        )
        self.config = folder / "livemon.toml"
        self.config.write_text(
            CONFIG.format(port=port, hooks=self.hooks, name=database.name, host=database.server.socket)
        )
        hour = (int(time.time()) - 7200) // 3600 * 3600
        self.write("sales.csv", "店铺,订单号,类型,支付时间,金额,币种,直播间", (
            f"9001,{n},{'支付' if n % 9 else '退款'},{hour + n},{n}.01,CNY,{'直播间1' if n % 2 else 'room2'}"
            for n in range(SALES)
        ))  # fmt: skip
        self.write("ticks.csv", "直播间,时间,在播,在线人数", (f"直播间1,{hour + 3 * n},是,{n}" for n in range(TICKS)))
        self.sum = sum(n * 100 + 1 for n in range(SALES))

    def write(self, name: str, header: str, rows) -> None:
        (self.folder / name).write_text("\n".join([header, *rows]) + "\n", encoding="gb18030")

    def livemon(self) -> Livemon:
        return Livemon(self.config, self.url)

    async def imported(self, relation: str, name: str, *more: str) -> tuple[int, str]:
        return await self.livemon().command("import", relation, str(self.folder / name), "--feed", "files", *more)


@pytest.fixture
def ground(tmp_path: Path, database) -> Ground:
    return Ground(tmp_path, database)


async def stands(conn, sales: int, minor: int, ticks: int) -> None:
    """Wait until PostgreSQL holds this; what comes after it would be too much."""
    question = (
        "SELECT (SELECT count(*) FROM sale), (SELECT coalesce(sum(amount_minor), 0)::bigint FROM sale),"
        " (SELECT count(*) FROM viewer_tick)"
    )
    told = None
    for _ in range(150):
        told = tuple(await conn.fetchrow(question))
        if told == (sales, minor, ticks):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{told} and not {(sales, minor, ticks)}")


async def book(livemon: Livemon, kind: str, column: str) -> float:
    text = await livemon.text("/metrics")
    return float(text.partition(f'livemon_{column}{{kind="{kind}"}} ')[2].split()[0])


async def push(livemon: Livemon, ground: Ground, amount: str) -> int:
    """One of the sales of the file, pushed."""
    at = (int(time.time()) - 7200) // 3600 * 3600 + 7
    sale = {"event_id": "9001:7:paid", "kind": "paid", "at": at, "amount": amount, "currency": "CNY"}
    body, stamp, name = json.dumps({"sales": [sale]}).encode(), str(int(time.time())), f"push-{amount}"
    headers = {
        "Content-Type": "application/json", "X-Livemon-Timestamp": stamp, "X-Livemon-Id": name,
        "X-Livemon-Signature": signature(stamp, name, body, SECRET.encode()),
    }  # fmt: skip
    async with livemon.http.post(f"http://127.0.0.1:{ground.hooks}/hooks/files", data=body, headers=headers) as reply:
        return reply.status


async def test_a_file_counts_once_by_the_spool_by_the_hooks_by_push_and_after_a_restart(ground, database):
    for told in ("wait in the spool for its next start\n", "parts of the file were there already\n"):
        for relation, name in (("sale", "sales.csv"), ("viewer_tick", "ticks.csv")):
            code, said = await ground.imported(relation, name)
            assert (code, said.endswith(told)) == (0, True), said
    conn = await database.connect("reader")
    for _ in range(2):
        async with ground.livemon() as livemon:
            await livemon.ready(2)
            await stands(conn, SALES, ground.sum, TICKS)
            for relation, name in (("sale", "sales.csv"), ("viewer_tick", "ticks.csv")):
                code, said = await ground.imported(relation, name)
                assert (code, "the monitor has taken all rows" in said) == (0, True), said
            assert await push(livemon, ground, "7.01") == 200
            while await book(livemon, "sale", "duplicates_total") < 1:
                await asyncio.sleep(0.1)
            await stands(conn, SALES, ground.sum, TICKS)
            assert await livemon.stop() == 0
    await conn.close()
    conn = await database.connect("owner")
    rows = await conn.fetch("SELECT via, count(*) FROM livemon.sale GROUP BY via")
    assert [tuple(row) for row in rows] == [("file", SALES)]
    await conn.close()


async def test_the_same_event_with_another_amount_is_set_aside_and_the_first_stays(ground, database):
    conn = await database.connect("reader")
    async with ground.livemon() as livemon:
        await livemon.ready(2)
        assert (await ground.imported("sale", "sales.csv"))[0] == 0
        await stands(conn, SALES, ground.sum, 0)
        assert await push(livemon, ground, "8.01") == 200
        while await book(livemon, "sale", "quarantined_total") < 1:
            await asyncio.sleep(0.1)
        await stands(conn, SALES, ground.sum, 0)
        for name in ("received", "spooled"):
            assert await book(livemon, "sale", "books_difference") == 0, name
    await conn.close()


async def test_a_bad_row_is_named_and_nothing_is_sent_unless_the_good_ones_are_accepted(ground):
    ground.write("bad.csv", "shop,order_id,kind,at,amount,currency", (
        "9001,1,paid,2026-13-01 20:00,5,CNY", f"9001,2,paid,{int(time.time()) - 60},5,CNY",
        f"9001,3,paid,{int(time.time()) - 60},五元,CNY",
    ))  # fmt: skip
    file = ground.folder / "bad.csv"
    code, said = await ground.imported("sale", "bad.csv")
    assert code == 2
    assert said.splitlines() == [
        f"{file}:2: at '2026-13-01T20:00' is no date with a time; write it as 2026-11-19 20:00:05",
        f"{file}:4: amount: no number; correct it",
    ]
    assert not (ground.folder / "data").exists()
    code, said = await ground.imported("sale", "bad.csv", "--accept-good", "--dry-run")
    assert (code, said.splitlines()[-1]) == (0, "nothing was sent (--dry-run)")
    assert not (ground.folder / "data").exists()
    code, said = await ground.imported("sale", "bad.csv", "--accept-good")
    assert (code, "2 rows have errors and are in" in said) == (0, True)
    assert "1 row of 0 rooms" in said
    rejected = (ground.folder / "bad.rejected.csv").read_text(encoding="utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(rejected))] == ["rejected_line", "2", "4"]
    (ground.folder / "bad.rejected.csv").write_text(
        rejected.replace("五元", "5").replace("2026-13-01 20:00", str(int(time.time()) - 90)), encoding="utf-8-sig"
    )
    code, said = await ground.imported("sale", "bad.rejected.csv")
    assert (code, "2 rows of 0 rooms" in said) == (0, True), said


async def test_who_names_no_feed_of_this_kind_is_told_which_there_are(ground):
    said = await ground.livemon().command("import", "sale", str(ground.folder / "sales.csv"), "--feed", "filez")
    assert said == (1, "livemon import: there is no feed 'filez' of kind push_json; there is files\n")


async def test_a_monitor_with_another_secret_is_said_to_have_one(ground):
    async with ground.livemon() as livemon:
        await livemon.ready(2)
        (ground.folder / "secret").write_text("another secret of the files")
        code, said = await ground.imported("sale", "sales.csv")
        assert (code, "does it run with this config? reload it (SIGHUP). 0 of" in said) == (1, True), said
