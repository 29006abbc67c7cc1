"""What a true delivery gets from the hooks listener, and what an untrue one: raw sockets against a real one."""

import asyncio
import logging
import re
from collections import Counter

import pytest

from collectors.hook import App, Delivery
from monitor.http.hooks import Rates
from monitor.http.outcome import OUTCOMES
from tests.http.hook_site import NOW, SECRET, Signed, apps_of, hooked, post, signature, status

CANARY = "Kanarienvogel"


def bare(answer: bytes) -> bytes:
    """An answer without the time of day."""
    return re.sub(rb"Date: [^\r]*\r\n", b"", answer)


async def test_a_true_delivery_is_on_disk_whole_before_the_platform_reads_its_exact_answer() -> None:
    async with hooked() as site:
        site.disk.gate.clear()
        asking = asyncio.create_task(site.ask(post(b'{"a": 1}\xff', path="/hooks/shop?sign=1&x=%2F", X_Other="no")))
        while not site.disk.waiting:
            await asyncio.sleep(0.01)
        early, _ = await asyncio.wait({asking}, timeout=0.5)  # an answer takes a moment, on a busy machine a long one
        assert not early
        site.disk.gate.set()
        answer = await asking
        assert answer.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        assert answer.endswith(b'\r\n\r\n{"code":0}')
        stamp = str(int(NOW.timestamp()))
        headers = {"x-id": "d1", "x-stamp": stamp, "x-signature": signature("d1", stamp, b'{"a": 1}\xff')}
        delivery = Delivery("POST", "/hooks/shop", "sign=1&x=%2F", headers, b'{"a": 1}\xff')
        assert site.disk.kept == [("shop", delivery, NOW)]
        assert site.outcomes == {("shop", "accepted"): 1}
        assert site.heard == {"shop": 1}


STRANGE = "ü"
REFUSALS: list[tuple[str, bytes, str]] = [
    ("wrong signature", post(X_Signature="0" * 64), "bad_signature"),
    ("no signature", post(X_Signature=None), "bad_signature"),
    ("empty signature", post(X_Signature=""), "bad_signature"),
    ("short signature", post(X_Signature="abc"), "bad_signature"),
    ("long signature", post(X_Signature="a" * 4_000), "bad_signature"),
    ("signature of letters that are not ASCII", post(X_Signature=STRANGE * 64), "malformed"),
    ("signature that is no UTF-8", post(X_Signature="\udcff\udcfe"), "malformed"),
    ("two signatures", post(X_Signature="0" * 64, x_signature="1" * 64), "malformed"),
    ("another key", post(secret=b"guess"), "bad_signature"),
    ("one bit of the body", post(b'{"a":1}').replace(b'{"a":1}', b'{"a":3}'), "bad_signature"),
    ("the same JSON in other bytes", post(b'{"a": 1}', X_Signature=signature("d1", "0", b'{"a":1}')), "bad_signature"),
    ("6 minutes old", post(late_s=-360), "stale"),
    ("6 minutes ahead", post(late_s=360), "stale"),
    ("no time", post(X_Stamp=None), "malformed"),
    ("no number", post(X_Stamp="abc"), "malformed"),
    ("a time after all", post(X_Stamp="1" + "0" * 30), "bad_signature"),
    ("a query that is no UTF-8", post(path="/hooks/shop?a=\udcff"), "malformed"),
    ("signed for another feed", post(path="/hooks/other"), "bad_signature"),
    ("an empty body", post(b"", X_Signature="0" * 64), "bad_signature"),
]


@pytest.mark.parametrize(("request_bytes", "reason"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
async def test_what_is_no_true_delivery_is_401_and_not_told_why(request_bytes: bytes, reason: str) -> None:
    async with hooked() as site:
        answer = await site.ask(request_bytes)
        plain = await site.ask(post(secret=b"wrong"))
        if status(answer) != 400:  # llhttp itself refuses some bytes
            assert status(answer) == 401
            assert bare(answer) == bare(plain)
            feed = "other" if b"/hooks/other" in request_bytes else "shop"
            assert site.outcomes == Counter([(feed, reason), ("shop", "bad_signature")])
        assert not site.disk.kept
        assert not site.heard


async def test_a_redelivery_is_answered_like_the_first_and_kept_once() -> None:
    async with hooked() as site:
        first, again = [await site.ask(post(b'{"a": 1}')) for _ in range(2)]
        assert bare(first) == bare(again)
        assert status(first) == 200
        assert len(site.disk.kept) == 1
        assert site.outcomes == {("shop", "accepted"): 1, ("shop", "duplicate"): 1}


async def test_five_copies_at_once_wait_for_the_one_that_is_kept() -> None:
    async with hooked() as site:
        site.disk.gate.clear()
        asking = [asyncio.create_task(site.ask(post(b'{"a": 1}'))) for _ in range(5)]
        await asyncio.sleep(0.2)
        assert site.disk.waiting == 1
        assert not any(task.done() for task in asking)
        site.disk.gate.set()
        assert {status(answer) for answer in await asyncio.gather(*asking)} == {200}
        assert len(site.disk.kept) == 1
        assert site.outcomes == {("shop", "accepted"): 1, ("shop", "duplicate"): 4}


async def test_where_the_disk_is_full_none_of_the_copies_is_answered_well_and_all_may_come_again() -> None:
    async with hooked() as site:
        site.disk.broken = True
        site.disk.gate.clear()
        asking = [asyncio.create_task(site.ask(post(b'{"a": 1}'))) for _ in range(5)]
        await asyncio.sleep(0.1)
        site.disk.gate.set()
        answers = await asyncio.gather(*asking)
        assert {status(answer) for answer in answers} == {503}
        assert all(b"\r\nRetry-After: 5\r\n" in answer for answer in answers)
        assert site.outcomes == {("shop", "full"): 5}
        site.disk.broken = False
        assert status(await site.ask(post(b'{"a": 1}'))) == 200
        assert len(site.disk.kept) == 1


async def test_a_body_is_verified_as_it_came() -> None:
    async with hooked() as site:
        for number, body in enumerate((b' {"a": 1}\r\n', b'\xef\xbb\xbf{"a":1}', b"\0\xff")):
            assert status(await site.ask(post(body, name=f"d{number}"))) == 200
            assert site.disk.kept[number][1].body == body


async def test_an_id_with_another_body_is_an_attack_also_later() -> None:
    async with hooked() as site:
        assert status(await site.ask(post(b'{"a": 1}'))) == 200
        refused = await site.ask(post(b'{"a": 2}'))
        assert bare(refused) == bare(await site.ask(post(secret=b"wrong")))
        assert site.outcomes[("shop", "replayed")] == 1
        assert len(site.disk.kept) == 1


async def test_an_id_with_another_body_is_an_attack_while_the_first_is_under_way() -> None:
    async with hooked() as site:
        site.disk.gate.clear()
        first = asyncio.create_task(site.ask(post(b'{"a": 1}')))
        await asyncio.sleep(0.1)
        assert status(await site.ask(post(b'{"a": 2}'))) == 401
        site.disk.gate.set()
        assert status(await first) == 200
        assert [delivery.body for _, delivery, _ in site.disk.kept] == [b'{"a": 1}']
        assert site.outcomes[("shop", "replayed")] == 1


async def test_ids_of_two_feeds_are_two() -> None:
    async with hooked() as site:
        assert status(await site.ask(post(b"[1]"))) == 200
        assert status(await site.ask(post(b"[2]", path="/hooks/other", secret=b"s3cret-of-another"))) == 200
        assert len(site.disk.kept) == 2


async def test_a_delivery_without_an_id_is_always_kept() -> None:
    async with hooked() as site:
        for _ in range(2):
            assert status(await site.ask(post(name=""))) == 200
        assert len(site.disk.kept) == 2


async def test_the_disk_is_told_the_id_that_is_made_of_the_content() -> None:
    async with hooked() as site:
        for name in ("d1", "once-1"):
            assert status(await site.ask(post(name=name))) == 200
        assert site.disk.named == ["", "once-1"]


async def test_a_probe_is_answered_not_kept_and_no_message() -> None:
    async with hooked() as site:
        for _ in range(2):
            assert (await site.ask(post(b"probe"))).endswith(b'{"code":0}')
        assert site.outcomes == {("shop", "probe"): 2}
        assert not site.disk.kept
        assert not site.heard


async def test_both_secrets_hold_while_one_is_rotated_out_and_the_old_one_not_after() -> None:
    """F67: no delivery is refused while both hold, though the config is read anew in between."""
    new = b"s3cret-of-tomorrow"
    rows = (Signed(name="shop", app="main"),)
    async with hooked(rows) as site:
        stages = [(SECRET,), (new, SECRET), (new,)]
        statuses: list[list[int]] = []
        for number, secrets in enumerate(stages):
            site.hooks.serve_feeds(rows, apps_of(secrets))
            asking = [
                site.ask(post(name=f"{number}-{n}-{len(secret)}", secret=secret))
                for n in range(20)
                for secret in stages[1]
            ]
            answers = await asyncio.gather(*asking)
            statuses.append([sum(status(a) == 200 for a in answers[at::2]) for at in (0, 1)])
        assert statuses == [[0, 20], [20, 20], [20, 0]]


async def test_an_error_of_ours_is_a_bare_500_and_neither_secret_nor_body_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Signed, tag="broken", frozen=True, kw_only=True):
        def verify(self, delivery: Delivery, app: App, now: object) -> object:  # type: ignore[override]
            raise ZeroDivisionError("planted")

    async with hooked([Broken(name="shop", app="main")]) as site:
        for _ in range(3):
            assert (await site.ask(post(CANARY.encode()))).endswith(b"500\n")
        assert site.outcomes == {("shop", "failed"): 3}
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1
    assert CANARY not in caplog.text
    assert SECRET.decode() not in caplog.text + repr(site.hooks.targets)


async def test_a_feed_that_is_gone_from_the_config_is_gone_here() -> None:
    async with hooked() as site:
        site.hooks.serve_feeds([], {})
        assert status(await site.ask(post())) == 404


async def test_every_outcome_that_was_seen_is_one_that_is_counted() -> None:
    assert len(set(OUTCOMES)) == len(OUTCOMES) == 22


async def test_a_feed_may_have_a_chinese_name() -> None:
    async with hooked([Signed(name="抖店一号", app="main")]) as site:
        path = "/hooks/%E6%8A%96%E5%BA%97%E4%B8%80%E5%8F%B7"
        assert status(await site.ask(post(path=path))) == 200
        assert status(await site.ask(post(path=path.lower(), name="d2"))) == 200
        assert site.heard == {"抖店一号": 2}


async def test_a_url_check_echoes_what_the_kind_lets_through() -> None:
    async with hooked() as site:
        answer = await site.ask(b"GET /hooks/shop?echo=Abc_1-2 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.endswith(b"\r\n\r\nAbc_1-2")
        assert b"\r\nContent-Type: text/plain\r\n" in answer
        assert site.outcomes == {("shop", "check"): 1}
        answer = await site.ask(b"GET /hooks/shop?echo=<script> HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status(answer) == 405
        assert b"script" not in answer
        forged = await site.ask(b"GET /hooks/shop?forged HTTP/1.1\r\nHost: x\r\n\r\n")
        assert bare(forged) == bare(await site.ask(post(secret=b"wrong")))


async def test_a_client_that_leaves_in_the_midst_is_counted_and_one_that_leaves_after_it_is_kept() -> None:
    async with hooked() as site:
        _, writer = await site.connect()
        writer.write(post(b"abcde")[:-1])
        await asyncio.sleep(0.1)
        writer.close()
        site.disk.gate.clear()
        _, writer = await site.connect()
        writer.write(post(b"fghij", name="d2"))
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(0.1)
        site.disk.gate.set()
        await asyncio.sleep(0.1)
        assert site.outcomes == {("shop", "gone"): 1, ("shop", "accepted"): 1}
        assert [delivery.body for _, delivery, _ in site.disk.kept] == [b"fghij"]


async def test_a_leaked_key_has_a_rate_and_what_is_not_signed_uses_nothing_of_it() -> None:
    async with hooked(rates=Rates(per_s=1.0, burst=5.0)) as site:
        for number in range(20):
            assert status(await site.ask(post(name=f"x{number}", secret=b"wrong"))) == 401
        answers = [await site.ask(post(name=f"d{number}")) for number in range(10)]
        assert [status(answer) for answer in answers] == [200] * 5 + [429] * 5
        assert b"\r\nRetry-After: 5\r\n" in answers[-1]
        assert site.outcomes[("shop", "rate_limited")] == 5
        other = post(path="/hooks/other", secret=b"s3cret-of-another")
        assert status(await site.ask(other)) == 200
        site.hooks.serve_feeds([Signed(name="shop", app="main")], apps_of((SECRET,)))
        assert status(await site.ask(post(name="d99"))) == 429
