"""Names, phones and addresses of buyers are in the encrypted deliveries alone, and after a day not even there."""

import asyncio
import random
import time
from collections.abc import Iterable
from urllib.parse import quote

import msgspec
import pytest

from collectors.hook import Delivery
from monitor.keys import SPOOL_KEY, keys_of
from monitor.store.books import KINDS, Seal
from monitor.store.cipher import Cipher, is_encrypted
from monitor.store.hour_keys import HOUR_S
from monitor.store.keeping import revive
from monitor.store.renewal import forget
from monitor.store.spool import Spool
from tests.acceptance.shop import Line, Shop, books, drained, pushed, sale, signed
from tests.orders.chinese import doudian, doudian_paid, kwaixiaodian, wechat
from tests.thief import nonce_of, stolen

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROUNDS, LINES = 100, 8
DAY_S = 86_400.0
FAMILY, GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨", "鑫淼焱垚犇羴骉麤龘靐晶磊森壵嚞"


class Canary:
    """Somebody whom no test data knows, and who is somebody else in each delivery."""

    def __init__(self, luck: random.Random) -> None:
        self.name = luck.choice(FAMILY) + "".join(luck.choices(GIVEN, k=3))
        self.phone = f"17{luck.randrange(10**9):09}"
        self.address = f"沈阳市{''.join(luck.choices(GIVEN, k=4))}街{luck.randrange(10**6)}号"

    @property
    def told(self) -> tuple[str, str, str]:
        return self.name, self.phone, self.address


def deliveries(number: int, people: Iterable[Canary]) -> Iterable[tuple[str, Delivery]]:
    """Ten deliveries of four platforms; about a third of them mean something to us, the others are bad in some way."""
    now, who = int(time.time()), iter(people)

    def person(**names: str) -> dict[str, object]:
        one = next(who)
        fields = dict(zip(("receiver", "mobile", "address"), one.told, strict=True))
        return {names.get(field, field): text for field, text in fields.items()} | {"长辈": {"备注": list(one.told)}}

    post = {"receiver": "post_receiver", "mobile": "post_tel", "address": "detail_address"}
    when, order = {"pay_time": now - 5}, 5_000_000_000_000_000_000 + number * 10
    yield "erp", pushed([sale(event_id=f"n:{number}:paid", buyer=next(who).phone, **person())], **person())
    bad = next(who)
    yield (
        "erp",
        pushed(
            [
                sale(event_id=f"n:{number}:paid", amount_minor=bad.address, buyer=bad.name, **person()),
                sale(event_id=bad.address, kind=bad.name),
                sale(event_id=f"n:{number}b:paid", at=bad.name),
                sale(event_id=f"n:{number}c:paid", currency=bad.name),
                sale(event_id=f"n:{number}d:paid", items=[{"item_id": {bad.name: 1}}]),
            ]
        ),
    )
    yield "erp", signed(f'{{"sales": "{next(who).name}", "{next(who).phone}": '.encode())  # no JSON
    yield "erp", pushed([sale(event_id=f"n:{number}:paid", amount_minor=999, buyer=next(who).name)])  # another amount
    yield "doudian", doudian([doudian_paid(p_id=order, **when, **person(**post))])
    yield "doudian", doudian([doudian_paid(p_id=order + 1, **when | {"pay_amount": next(who).name}, **person(**post)),
                              doudian_paid(p_id=next(who).name, **when), {"tag": next(who).name}])  # fmt: skip
    told = {"oid": order + 2, "sellerId": 77, "updateTime": now * 1000, "createTime": now * 1000}
    yield "ks", kwaixiaodian("kwaishop_order_addOrder", told | {"buyerOpenId": next(who).phone} | person())
    yield "ks", kwaixiaodian("kwaishop_order_paySuccess", told | person())  # stays pending
    yield "wechat", wechat("channels_ec_order_new", {"order_info": {"order_id": order + 3} | person()}, stamp=now)
    broken = {"order_info": {"order_id": [next(who).name], "pay_time": next(who).address}}
    yield "wechat", wechat("channels_ec_order_pay", broken, stamp=now)


async def send(shop: Shop, all_of_them: list[tuple[str, Delivery]]) -> None:
    queue = iter(all_of_them)

    async def line() -> None:
        held = Line(shop.hooks)
        for feed, delivery in queue:
            status, _ = await held.post(feed, delivery)
            assert status == 200, (feed, status)
        held.close()

    await asyncio.gather(*(line() for _ in range(LINES)))


async def tables(shop: Shop) -> str:
    """Every row of every table and view of ours, as text."""
    conn = await shop.database.connect("owner")
    try:
        names = await conn.fetch("SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'v', 'p')"
                                 " AND relnamespace = 'livemon'::regnamespace")  # fmt: skip
        assert {"sale", "sale_item", "quarantine", "applied_batch"} <= {row["name"] for row in names}
        rows = [row[0] for (name,) in names for row in await conn.fetch(f"SELECT t::text FROM {name} AS t")]
        return "\n".join(rows)
    finally:
        await conn.close()


def disguises(text: str) -> set[bytes]:
    """How a text might lie in a file, in a table, in a log."""
    plain, escaped = text.encode(), text.encode("ascii", "backslashreplace")
    wide = {text.encode("utf-16-le"), text.encode("gb18030"), quote(text).encode()}
    return {plain, escaped, plain.hex().encode(), escaped.replace(b"\\", b"\\\\"), *wide}


def found(people: Iterable[Canary], where: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """Looked for in one pass of each, as there are some thousands."""
    traces = {trace for person in people for text in person.told for trace in disguises(text)}
    starts: dict[bytes, list[bytes]] = {}
    for trace in traces:
        starts.setdefault(trace[:6], []).append(trace)
    hits = []
    for name, text in where.items():
        for at in range(len(text) - 5):
            for trace in starts.get(text[at : at + 6], ()):
                if text.startswith(trace, at):
                    hits.append((name, trace))
    return hits


def lying_in(shop: Shop) -> dict[str, bytes]:
    """All files of the monitor, and its log."""
    files = [path for path in (shop.folder / "data").rglob("*") if path.is_file() and path.name != "ballast"]
    assert any(path.name == "spool.db" for path in files)
    return {path.name: path.read_bytes() for path in [*files, shop.folder / "livemon.log"]}


async def test_nobody_can_be_found_but_under_the_key_and_after_a_day_not_there(database, tmp_path):
    shop, luck = Shop(tmp_path, database), random.Random()
    shop.open_door()
    people: list[Canary] = []

    def crowd() -> Iterable[Canary]:
        while True:
            people.append(Canary(luck))
            yield people[-1]

    sent = [delivery for number in range(ROUNDS) for delivery in deliveries(number, crowd())]
    assert len(sent) == 1_000
    async with shop.livemon() as livemon:
        await send(shop, sent)
        forged = msgspec.structs.replace(sent[0][1], body=sent[1][1].body)
        assert (await Line(shop.hooks).post("erp", forged))[0] == 401
        assert (await Line(shop.hooks).post(people[0].phone, sent[0][1]))[0] == 404
        await drained(livemon, frames=ROUNDS)
        pages = [await livemon.text(page) for page in ("/metrics", "/metrics/rooms", "/api/status", "/readyz")]
        written = {kind: await books(livemon, kind) for kind in KINDS}
        asked = [await livemon.command("quarantine", *words) for words in (["list"], ["show", "1"], ["show", "50"])]
        assert [code for code, _ in asked] == [0, 0, 0], asked
        told = [text for _, text in asked] + [(await livemon.command("status", "--once"))[1]]
        where = lying_in(shop) | {"pages": "\n".join(pages).encode(), "commands": "\n".join(told).encode()}
        where |= {"sql": (await tables(shop)).encode()}
        assert await livemon.stop() == 0
    where |= {f"{name}, after the end": text for name, text in lying_in(shop).items()}

    # It was as meant: sales, things set aside, and things that wait.
    assert await shop.ask("SELECT platform, count(*) FROM sale GROUP BY 1 ORDER BY 1") == [
        ("doudian", ROUNDS), ("kwaixiaodian", ROUNDS), ("push_json", ROUNDS), ("wechat", ROUNDS),
    ]  # fmt: skip
    assert written["sale"]["quarantined"] >= ROUNDS * 5
    assert written["frame"]["quarantined"] >= ROUNDS * 2
    print(f"\n{len(people)} people; {sum(map(len, where.values())) / 1e6:.0f} MB looked through: {sorted(where)}")
    assert found(people, where) == []

    data = shop.folder / "data"
    spool_keys = [key.reveal() for key in keys_of(None, data / SPOOL_KEY)]
    spool = Spool(data / "spool")
    hours = spool.unlock(Cipher(spool_keys))

    def forget_at(at: float) -> None:
        spool.prune(at)
        while forget(spool, at):
            pass

    try:
        bodies = [row[0] for row in spool.rows("SELECT body FROM frame_body")]
        assert len(bodies) == len(sent)
        assert all(is_encrypted(body) for body in bodies)
        opened = {msgspec.msgpack.decode(hours.open(body), type=Delivery).body for body in bodies}
        assert opened == {delivery.body for _, delivery in sent}  # all of it is there for who has the key
        clear = b"".join(opened)
        assert len(found(people, {"opened": clear})) > ROUNDS * 10  # and we would have found it

        now = time.time()
        nonces = {nonce_of(body) for body in bodies}
        seen = stolen(data, spool_keys)
        assert nonces < seen  # a thief finds all of it, too, and what is on its way to quarantine
        forget_at(now + DAY_S - 60)
        assert _left(spool) == len(sent)  # a day is a day
        assert nonces < stolen(data, spool_keys)
        forget_at(now + DAY_S + 60)
        assert _left(spool) == ROUNDS  # those that wait for an answer of the platform
        pending = {kept.seq for kept in spool.frames.load(range(1, len(sent) + 1))}
        assert {row[0] for row in spool.rows("SELECT seq FROM frame_body")} == pending

        forget_at(now + DAY_S + HOUR_S)  # and now the keys of their hours go
        waiting = [row[0] for row in spool.rows("SELECT body FROM frame_body")]
        assert stolen(data, spool_keys) == {nonce_of(body) for body in waiting}
        assert {msgspec.msgpack.decode(hours.open(body), type=Delivery).body for body in waiting} < opened
        assert len(waiting) == ROUNDS
        spool.commit(Seal(frames_quarantined=sorted(pending)))
        forget_at(now + 2 * DAY_S + 3 * HOUR_S)
        assert _left(spool) == 0
        assert stolen(data, spool_keys) == set()  # also in the log, and in pages that SQLite still uses
        assert spool.rows("SELECT count(*) FROM frame") == [(len(sent),)]  # the record of it stays 30 days
    finally:
        spool.close()
    assert stolen(data, spool_keys) == set()
    payloads = await shop.ask("SELECT payload FROM quarantine")
    for (payload,) in payloads:  # a row, whose buyer is a hash; or a delivery, and then it is encrypted
        if not is_encrypted(payload):
            [sold] = revive(payload).sales
            assert len(sold.buyer) == 32


def _left(spool: Spool) -> int:
    return int(spool.rows("SELECT count(*) FROM frame_body")[0][0])


@pytest.mark.parametrize("way", range(7))
def test_whoever_is_in_a_file_is_found(way):
    person = Canary(random.Random(1))
    trace = sorted(disguises(person.address))[way]
    assert found([person], {"a file": b"\0" * 100 + trace + b"\n"})
    assert not found([person], {"a file": b"\0" * 100 + trace[:-1]})
