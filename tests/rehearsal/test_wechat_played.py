"""What a played WeChat alone does: tries that are signed anew, tickets in XML, shops with keys of their own."""

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from collectors.hook import Accepted, Delivery, Notice
from monitor.http import hooks, listener
from monitor.http.guard import Guard
from monitor.http.hooks import Hooks, Outlets
from monitor.rehearsal.platforms.wechat import APP_ID, Wechat, taken, user_name
from tests.http.hook_site import Disk

from .asked import listened, livemon
from .staged import part, sold, staged, until

ROOM = part(7, "wechat", room="sphLN00007", sells_on="wechat")


def deliveries(kept: list[tuple[bytes, datetime]]) -> list[Delivery]:
    return [msgspec.msgpack.decode(frame, type=Delivery) for frame, _ in kept]


async def test_a_push_that_was_not_taken_is_signed_anew(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def keep(feed: str, frame: bytes, received_at: datetime, once: str = "") -> None:
        seen.append(frame)
        if len(seen) < 3:
            raise Disk.Full

    site = Hooks(Outlets(keep=keep, full=(Disk.Full,), now=lambda: datetime.now(UTC)), Guard())
    served = await hooks.start(site, "127.0.0.1", 0)
    try:
        async with staged(tmp_path, [ROOM], hooks_url=f"http://127.0.0.1:{served.port}") as scene:
            platform = Wechat(scene)
            await platform.open()
            heard = livemon(tmp_path, scene, platform)
            site.serve_feeds([heard.row], {heard.app.name: heard.app})
            task = asyncio.ensure_future(platform.deliveries.run())
            platform.happened(sold(ROOM, 1, ("created",))[0])
            await until(lambda: not platform.waiting())
            task.cancel()
            assert platform.deliveries.failures == 2
            await platform.close()
    finally:
        await listener.stop(served)
    tries = deliveries([(frame, datetime.now(UTC)) for frame in seen])
    assert len({it.query for it in tries}) == len({it.body for it in tries}) == 3
    assert all(isinstance(heard.row.verify(it, heard.app, datetime.now(UTC)), Accepted) for it in tries)


async def test_the_app_is_told_its_ticket_and_is_authorised_with_it(tmp_path: Path) -> None:
    async with listened(tmp_path, Wechat, [ROOM]) as heard:
        await until(lambda: heard.kept)
        [(frame, at)] = heard.kept
        assert msgspec.msgpack.decode(frame, type=Delivery).body.startswith(b"<xml>")
        [ticket] = heard.row.parse(frame, at, heard.app).notices
        assert ticket == Notice("ticket", value=heard.platform.fake.ticket)
        call = heard.api.app_grant(heard.caller(user_name(ROOM.shop)), ticket.value, heard.scene.now())
        assert call is not None
        answer = await heard.exchanged(call)
        assert heard.api.judge(answer).verdict == "ok"
        assert heard.api.granted(answer.body, None, heard.scene.now()).tokens.access


async def test_a_shop_is_asked_with_its_own_key_and_told_of_by_the_third_party_platforms(tmp_path: Path) -> None:
    async with listened(tmp_path, Wechat, [ROOM]) as heard:
        [account] = heard.keyed
        assert account.shop == user_name(ROOM.shop) == "gh_000004460001"
        assert account.key != heard.app.key == APP_ID
        assert account.secret not in heard.app.app_secrets
        quota = heard.api.quota(heard.caller(account.shop), "/channels/ec/order/get", heard.scene.now())
        assert quota is not None
        answer = await heard.exchanged(quota)
        left = heard.api.read_quota(answer.body, heard.scene.now()).left
        assert left > 100_000_000, "the quota of one shop must not hold up an evening of all of them"


async def test_an_after_sale_that_goes_on_is_no_refund_yet(tmp_path: Path) -> None:
    async with listened(tmp_path, Wechat, [ROOM]) as heard:
        await until(lambda: not heard.platform.waiting())
        for event in sold(ROOM, 1, ("created", "paid", "refunded")):
            heard.platform.happened(event)
        sales = await heard.settled()
        assert sorted(sale.kind for sale in sales) == ["created", "paid", "refunded"]
        assert len(heard.kept) == 5, "the ticket, and one push each, but two of a refund"


async def test_what_is_sealed_is_padded_to_blocks_of_32(tmp_path: Path) -> None:
    """As the vector of china.md 6.3, which a padding to 16 would leave shorter: 205 bytes become 224."""
    async with staged(tmp_path, [ROOM]) as scene:
        platform = Wechat(scene)
        assert all(len(base64.b64decode(platform._closed(b"x" * size))) % 32 == 0 for size in range(120, 190))
        assert len(base64.b64decode(platform._closed(b"x" * 167))) == 224
        assert 20 + 167 + len(APP_ID) == 205


def test_a_shop_that_has_its_id_already_keeps_it() -> None:
    assert user_name("gh_1234567890ab") == "gh_1234567890ab"


def test_success_or_nothing_is_an_answer() -> None:
    assert taken(200, b"success")
    assert taken(200, b"")
    for status, body in ((500, b"success"), (200, b"fail"), (404, b"404\n")):
        assert not taken(status, body)
