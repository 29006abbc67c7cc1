"""What may come instead of an answer to http_json (P1 to P12 of the reliability page): named, bounded, never a drop."""

import datetime as dates
import logging
import ssl
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from collectors.polled_frame import asked_in, joined
from tests.platforms.bad_answers import zeros
from tests.platforms.described_house import SECRET, Broadcast, Hearing, Reply, Service, until
from tests.platforms.test_described import ROOMS, loaded

ENDLESS = b" " * 65_536


def answering(status: int = 200, body: bytes | str = b"", **headers: str) -> Reply:
    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return reply


async def cut(request: web.Request) -> web.StreamResponse:
    """Says that more comes, and leaves."""
    reply = web.StreamResponse(headers={"Content-Length": "1000"})
    await reply.prepare(request)
    await reply.write(b'{"code": 0, ')
    assert request.transport is not None
    request.transport.abort()
    return reply


async def endless(request: web.Request) -> web.StreamResponse:
    reply = web.StreamResponse()
    await reply.prepare(request)
    while True:
        await reply.write(ENDLESS)


async def bomb(request: web.Request) -> web.StreamResponse:
    """64 MB that travel as 64 kB."""
    return web.Response(body=zeros(), headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})


def page(lives: str, total: str = "null", following: str = '""') -> bytes:
    return f'{{"code": 0, "data": {{"total": {total}, "next": {following}, "lives": {lives}}}}}'.encode()


FAULTS: dict[str, tuple[Reply, str, str]] = {
    # name: what is answered, the reason that is counted, what quarantine says of it ("": nothing came to keep)
    "P1 a redirect": (answering(302, Location="/v1/lives"), "http_status", ""),
    "P1 to a file": (answering(301, Location="file:///etc/passwd"), "http_status", ""),
    "P2 shorter than it says": (cut, "closed", ""),
    "P3 endless": (endless, "bad_frame", ""),
    "P3 a bomb": (bomb, "bad_frame", ""),
    "P6 not modified": (answering(304, ETag='"x"'), "http_status", ""),
    "P7 a loop of cursors": (answering(body=page("[]", following='"0"')), "bad_frame", "page_loop"),
    "P9 no content": (answering(204), "http_status", ""),
    "P10 too many": (answering(429, Retry_After="0"), "rate_limited", ""),
    "not our token": (answering(401), "refused", ""),
    "our token, it says in 200": (answering(body=b'{"code": 40101}'), "refused", ""),
    "forbidden": (answering(403), "auth", ""),
    "broken": (answering(500), "http_status", ""),
    "a page for people": (answering(body="<html>维护中</html>"), "bad_frame", "bad_json"),
    "nothing": (answering(body=b""), "bad_frame", "bad_json"),
    "not UTF-8": (answering(body="直播".encode("gb18030")), "bad_frame", "bad_json"),
    "nested too deep": (answering(body=b"[" * 60_000), "bad_frame", "bad_json"),
    "a key twice": (answering(body=b'{"code": 0, "code": 1}'), "bad_frame", "bad_json"),
    "NaN": (answering(body=page('[{"id": 1, "status": NaN}]')), "bad_frame", "bad_json"),
    "out of its page": (answering(body=b'{}], "pages": [{}'), "bad_frame", "bad_json"),
    "an error in 200": (answering(body=b'{"code": 7, "data": null}'), "bad_frame", "unfit"),
    "no list": (answering(body=page("null")), "bad_frame", "unfit"),
    "a number for a list": (answering(body=page("7")), "bad_frame", "unfit"),
    "only nonsense": (answering(body=page('[{"id": "10086", "status": {"a": 1}}]')), "bad_frame", "unfit"),
    "P8 fewer than it says": (answering(body=page("[]", total="5")), "bad_frame", "partial"),
}


def broadcasts() -> dict[str, Broadcast]:
    return {room: Broadcast() for room in ROOMS}


async def heard_around(fault: Reply, folder: Path, times: int, pages: int = 1) -> Hearing:
    """Live, then so many polls that meet the fault, each in so many pages, then true answers again."""
    async with (
        Service(broadcasts(), page_rooms=50).serving() as service,
        Hearing(loaded(folder, "list", service.url, body_bytes_max="65536"), ROOMS).hearing() as hearing,
    ):
        await until(lambda: all(hearing.changes(room) for room in ROOMS))
        service.replies += [fault] * times * pages
        await until(lambda: len(hearing.failed) >= times)
        seen = len(hearing.ticks)
        hearing.hurry()
        await until(lambda: len(hearing.ticks) >= seen + 2 * len(ROOMS))
    return hearing


@pytest.mark.parametrize("name", FAULTS)
async def test_two_in_a_row_are_a_blind_span_and_never_a_drop(name: str, tmp_path: Path) -> None:
    zeros()  # packed before anybody waits for it
    fault, reason, kept = FAULTS[name]
    times = 1 if reason == "refused" else 2  # nobody asks again at once who was told never to
    hearing = await heard_around(fault, tmp_path, times, pages=2 if name.startswith("P7") else 1)
    assert hearing.failed == [reason] * times
    assert hearing.blind() == [reason]
    assert [hearing.changes(room) for room in ROOMS] == [["opened"]] * len(ROOMS)
    assert [why.partition(":")[0] for _, why in hearing.quarantined] == [kept] * 2 * bool(kept)


async def test_one_failure_is_chance(tmp_path: Path) -> None:
    hearing = await heard_around(answering(500), tmp_path, 1)
    assert (hearing.failed, hearing.blind()) == (["http_status"], [])


async def test_a_room_is_off_air_when_a_second_whole_list_misses_it(tmp_path: Path) -> None:
    """P8, and that a list of fewer rooms than the one before may be true."""
    async with (
        Service(broadcasts()).serving() as service,
        Hearing(loaded(tmp_path, "list", service.url), ROOMS).hearing() as hearing,
    ):
        await until(lambda: all(hearing.changes(room) for room in ROOMS))
        service.hidden = {"10086"}
        await until(lambda: any(tick.evidence == "absent" for tick in hearing.ticks))
        service.hidden = set()
        await until(lambda: (tick := hearing.last("10086")) and tick.live)
        once = [tick for tick in hearing.ticks if tick.evidence == "absent"]
        assert len(once) > 1 or hearing.changes("10086") == ["opened"]
        service.hidden = {"10086"}
        await until(lambda: len(hearing.changes("10086")) > 1)
    assert hearing.changes("10086")[-1] == "dropped"
    assert [hearing.changes(room) for room in ROOMS[1:]] == [["opened"]] * 4


async def test_a_call_that_fails_blinds_its_own_rooms(tmp_path: Path) -> None:
    async with (
        Service(broadcasts()).serving() as service,
        Hearing(loaded(tmp_path, "batch", service.url, rooms_per_call="2"), ROOMS).hearing() as hearing,
    ):
        await until(lambda: all(hearing.changes(room) for room in ROOMS))
        service.refuse_ids = {"10087"}
        await until(lambda: hearing.blind("10087"))
        heard = hearing.messages
        await until(lambda: hearing.messages > heard + 4)
        service.refuse_ids = set()
        await until(lambda: (span := hearing.span("10087")) and span.to_at is not None)
    assert [hearing.blind(room) for room in ("10086", "10087", "直播间3")] == [["http_status"], ["http_status"], []]
    assert (hearing.blind(), hearing.slept) == ([], [])  # the feed was at it all the time
    assert [hearing.changes(room) for room in ROOMS] == [["opened"]] * 5


async def test_a_platform_that_fails_every_call_is_a_blind_feed(tmp_path: Path) -> None:
    async with (
        Service(broadcasts()).serving() as service,
        Hearing(loaded(tmp_path, "batch", service.url, rooms_per_call="1"), ROOMS).hearing() as hearing,
    ):
        await until(lambda: all(hearing.changes(room) for room in ROOMS))
        service.always = answering(500)
        await until(lambda: hearing.blind())
        service.always = None
        hearing.hurry()
        await until(lambda: not hearing.watch.feeds["partner-status"].blind_from)
    assert hearing.blind() == ["http_status"]
    assert [hearing.changes(room) for room in ROOMS] == [["opened"]] * 5


async def test_an_asked_room_that_is_not_answered_is_blind_and_not_off_air(tmp_path: Path) -> None:
    async with (
        Service(broadcasts()).serving() as service,
        Hearing(loaded(tmp_path, "batch", service.url), ROOMS).hearing() as hearing,
    ):
        await until(lambda: all(hearing.changes(room) for room in ROOMS))
        service.hidden = {"10086"}
        await until(lambda: hearing.blind("10086"))
    assert (hearing.changes("10086"), hearing.blind(), hearing.quarantined) == (["opened"], [], [])


async def test_an_answer_about_other_rooms_is_not_believed(tmp_path: Path) -> None:
    """P11: a cache that mixes up its answers."""
    async with (
        Service(broadcasts()).serving() as service,
        Hearing(loaded(tmp_path, "batch", service.url), ROOMS).hearing() as hearing,
    ):
        await until(lambda: all(hearing.changes(room) for room in ROOMS))
        service.always = answering(body=b'{"result": {"77": {"live_status": 0}, "10086": {"live_status": 0}}}')
        await until(lambda: hearing.blind("10086"))
    assert hearing.changes("10086") == ["opened"]
    assert {why.partition(":")[0] for _, why in hearing.quarantined} == {"another_room"}


async def test_no_cookie_is_kept(tmp_path: Path) -> None:
    """P5."""
    async with (
        Service(broadcasts()).serving() as service,
        Hearing(loaded(tmp_path, "list", service.url), ROOMS).hearing() as hearing,
    ):
        service.always = answering(body=page("[]"), Set_Cookie="a=b; Path=/")
        await until(lambda: hearing.messages >= 3)
    assert not any("Cookie" in request.headers for request in service.requests)


@pytest.mark.parametrize("name", ["list", "batch"])
async def test_a_wait_that_the_platform_asks_for_is_kept_to(name: str, tmp_path: Path) -> None:
    """P10, of one call for all of them; what is out of bounds is told in tests/live/test_failure.py."""
    changed = {"rooms_per_call": "2"} if name == "batch" else {}
    async with (
        Service(broadcasts()).serving() as service,
        Hearing(loaded(tmp_path, name, service.url, **changed), ROOMS).hearing() as hearing,
    ):
        service.replies = [answering(429, Retry_After="7")]
        await until(lambda: hearing.slept)
    assert hearing.slept == [7.0]


async def test_a_certificate_of_another_host_is_not_taken(tmp_path: Path) -> None:
    """P12."""
    async with Service(broadcasts()).serving(certificate(tmp_path)) as service:
        (tmp_path / "feed").mkdir()
        row = loaded(tmp_path / "feed", "list", service.url, url=f'"https://{service.url}/v1/lives?after={{cursor}}"')
        async with Hearing(row, ROOMS).hearing() as hearing:
            await until(lambda: hearing.failed)
    assert (hearing.failed[0], service.requests) == ("tls", [])


def certificate(folder: Path) -> ssl.SSLContext:
    """Of elsewhere.example, signed by itself."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere")]),
    )
    now = dates.datetime.now(dates.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - dates.timedelta(days=1)).not_valid_after(now + dates.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(serialization.Encoding.PEM)
    (folder / "both.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


@pytest.mark.parametrize("name", ["list", "batch"])
async def test_a_secret_is_seen_nowhere(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not in frames that say it back, not in what is logged, not in an error."""
    echo = answering(body=f'{{"you": "{SECRET}", "said": "s3cret%2F%2B%26%3D%25%20%22and%20more"}}')
    caplog.set_level(logging.DEBUG)
    async with (
        Service(broadcasts()).serving() as service,
        Hearing(loaded(tmp_path, name, service.url), ROOMS).hearing() as hearing,
    ):
        service.replies = [echo, answering(500, SECRET), cut, answering(302, Location=f"/?{SECRET}"), answering(401)]
        await until(lambda: not service.replies)
        hearing.hurry()
        await until(lambda: hearing.messages or hearing.quarantined)
    told = [*(frame for frame, _ in hearing.quarantined), *(why.encode() for _, why in hearing.quarantined)]
    told += [line.getMessage().encode() for line in caplog.records if line.name.startswith("monitor")]
    assert told
    assert not any(b"s3cret" in text for text in told)
    assert any(b"***" in text for text in told)


def test_the_frame_of_a_garbled_page_still_says_whom_it_asked() -> None:
    frame = joined(["a", "直播间"], [b'{"b": 1}', b"<html>"])
    assert asked_in(frame) == ["a", "直播间"]
