"""The proxies of docs/first-hour.md, as they stand there, before the real hooks listener: nginx and Caddy over TLS."""

import asyncio
import contextlib
import ipaddress
import re
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

from collectors.hook import App
from collectors.orders.push_json import PushJson, signature
from monitor.doctor.hooks import check_certificate, check_hook
from monitor.http import hooks, listener
from monitor.http.guard import Guard, Limits
from monitor.http.hooks import Hooks, Outlets
from monitor.live.clock import wall_time
from tests.doctor.test_hooks import free_port
from tests.test_first_hour import blocks, places

pytestmark = pytest.mark.real
NAME = "hooks.example.cn"
FEED = PushJson(name="商店", app="erp")
SECRET = App("erp", "push_json", secrets=(b"right",))
PATH = "/hooks/%E5%95%86%E5%BA%97"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that signs itself; `key.pem` beside it."""
    folder = tmp_path_factory.mktemp("tls")
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30, hours=1)).add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


@contextlib.contextmanager
def nginx(folder: Path, tls: Path, port: int, upstream: int) -> Iterator[None]:
    stanza = blocks("nginx")[1].replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    stanza = stanza.replace("127.0.0.1:8791", f"127.0.0.1:{upstream}").replace("/etc/ssl/hooks.example.cn", str(tls))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {places(folder)}\n{stanza}}}\n"
    )
    with running("/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), port=port):
        yield


@contextlib.contextmanager
def caddy(folder: Path, tls: Path, port: int, upstream: int) -> Iterator[None]:
    (stanza,) = blocks("caddyfile")
    stanza = stanza.replace("\nhooks.example.cn {", f"\nhttps://{NAME}:{port}, https://localhost:{port} {{\n\t"
                            f"tls {tls}/fullchain.pem {tls}/key.pem")  # fmt: skip
    stanza = stanza.replace("127.0.0.1:8791", f"127.0.0.1:{upstream}")
    stanza = stanza.replace("{\n\tservers", "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers", 1)
    (folder / "Caddyfile").write_text(stanza)
    program = shutil.which("caddy")
    assert program, "caddy is missing: apt-get install caddy"
    homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    checked = subprocess.run(
        [program, "validate", "--config", folder / "Caddyfile"], env=homes, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    with running(program, "run", "--config", str(folder / "Caddyfile"), port=port, env=homes):
        yield


@contextlib.contextmanager
def running(*command: str, port: int, env: dict[str, str] | None = None) -> Iterator[None]:
    words = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(command, stdout=words, stderr=words, env=env)
    try:
        until = time.monotonic() + 10
        while True:
            try:
                ssl.get_server_certificate(("127.0.0.1", port))
                break
            except OSError:
                if process.poll() is not None:
                    words.seek(0)
                    raise AssertionError(
                        f"{command[0]} ended with {process.returncode}: {words.read()[-1500:]}"
                    ) from None
                assert time.monotonic() < until, f"{command[0]} does not listen"
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)
        words.close()


PROXIES = pytest.mark.parametrize("proxy", [nginx, caddy], ids=["nginx", "caddy"])


@pytest.fixture
async def http(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that trusts the certificate, as platforms trust those of public authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "fullchain.pem"))
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
    async with aiohttp.ClientSession(connector=connector) as client:
        yield client


class Heard:
    """What came through: a server that only listens."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, list[str], bytes]] = []

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        self.requests.append(
            (request.method, request.raw_path, list(request.headers.getall("X-Forwarded-For", ())), body)
        )
        return web.Response(text="success")


@contextlib.asynccontextmanager
async def hearing() -> AsyncIterator[tuple[Heard, int]]:
    heard, port = Heard(), free_port()
    runner = web.ServerRunner(web.Server(heard.answer))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield heard, port
    await runner.cleanup()


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[tuple[list[bytes], int]]:
    """The real listener, which trusts the proxy."""
    kept: list[bytes] = []

    async def keep(_feed: str, frame: bytes, *_rest: object) -> None:
        kept.append(frame)

    guard = Guard(limits=Limits(trusted=(ipaddress.ip_network("127.0.0.1/32"),)))
    site, port = Hooks(outlets=Outlets(keep=keep, full=(), now=wall_time), guard=guard), free_port()
    site.serve_feeds([FEED], {"erp": SECRET})
    served = await hooks.start(site, "127.0.0.1", port)
    yield kept, port
    await listener.stop(served)


@PROXIES
async def test_the_doctor_and_a_signed_delivery_come_through(proxy, tmp_path: Path, certificate: Path, http):
    port = free_port()
    async with listening() as (kept, upstream):
        with proxy(tmp_path, certificate, port, upstream):
            public = f"https://localhost:{port}"
            found = await check_hook(FEED, SECRET, http, public, f"http://127.0.0.1:{upstream}", wall_time())
            assert (found.name, found.state) == ("hook 商店", "fine"), found
            found = await check_certificate(public, wall_time())
            assert (found.state, "30 days" in found.what) == ("fine", True), found
            assert kept == []
            body = '{"sales": [],\n\t"ticks" :[ ]  , "note": "按原样 \\u6652"}'.encode()  # its bytes are what is signed
            stamp = str(int(time.time()))
            headers = dict(zip(PushJson.HEADERS, (stamp, "d1", signature(stamp, "d1", body, b"right")), strict=True))
            headers["Content-Type"] = "application/json"
            for _ in range(3):  # over one kept connection
                async with http.post(public + PATH, data=body, headers=headers) as reply:
                    assert (reply.status, await reply.json()) == (200, {"accepted": True})
            assert len(kept) == 1
            assert body in kept[0]


@PROXIES
async def test_path_query_and_body_are_passed_on_as_they_came_and_no_claim_of_the_client(
    proxy, tmp_path: Path, certificate: Path, http
):
    port = free_port()
    async with hearing() as (heard, upstream):
        with proxy(tmp_path, certificate, port, upstream):
            url = f"https://localhost:{port}"
            raw = f"{PATH}?signature=a%2Bb&nonce=%E6%99%92&z="
            body = bytes(range(256)) * 4_000  # 1 MB that is no text
            claim = {"X-Forwarded-For": "203.0.113.9", "Content-Type": "application/json"}
            async with http.post(URL(url + raw, encoded=True), data=body, headers=claim) as reply:
                assert (reply.status, await reply.text()) == (200, "success")
            async with http.get(URL(url + raw, encoded=True)) as reply:
                assert reply.status == 200
            method, path, forwarded, got = heard.requests[0]
            assert (method, path, got == body) == ("POST", raw, True)
            assert forwarded == ["127.0.0.1"]
            assert heard.requests[1][:2] == ("GET", raw)


@PROXIES
async def test_nothing_but_hooks_goes_through_and_no_large_body(proxy, tmp_path: Path, certificate: Path, http):
    port = free_port()
    async with hearing() as (heard, upstream):
        with proxy(tmp_path, certificate, port, upstream):
            url = f"https://localhost:{port}"
            for path in ("/", "/metrics", "/api/status", "/hooks"):
                async with http.get(url + path, allow_redirects=False) as reply:
                    assert reply.status in (301, 404), path  # nginx sends /hooks to /hooks/, where nobody is
            async with http.post(f"{url}{PATH}", data=bytes(2_100_000)) as reply:
                assert reply.status in (
                    413,
                    502,
                )  # Caddy passes on while it reads: 502 where its upstream was cut first
            assert [request for request in heard.requests if request[3]] == []


@PROXIES
async def test_no_delivery_is_sent_twice_when_livemon_goes_away(proxy, tmp_path: Path, certificate: Path, http):
    port, upstream, came = free_port(), free_port(), []

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readuntil(b"\r\n\r\n"))
        writer.transport.abort()

    server = await asyncio.start_server(cut, "127.0.0.1", upstream)
    with proxy(tmp_path, certificate, port, upstream):
        async with http.post(f"https://localhost:{port}{PATH}", data=b"{}") as reply:
            assert reply.status == 502
        assert len(came) == 1
        server.close()
        found = await check_hook(FEED, SECRET, http, f"https://localhost:{port}", "http://127.0.0.1:1", wall_time())
        assert (found.state, "502" in found.what) == ("wrong", True)


def test_the_stanzas_name_one_upstream_and_the_port_of_the_config():
    for stanza in (blocks("nginx")[1], *blocks("caddyfile")):
        assert re.findall(r"\b(?:\d+\.){3}\d+:\d+", stanza) == ["127.0.0.1:8791"]
