"""What the hooks listener counts on in every kind that is called."""

import inspect
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from collectors import KINDS
from collectors.hook import Accepted, App, CalledRow, Delivery, Hook, Refused

NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
HOOKS = [kind for kind in KINDS if issubclass(kind, CalledRow)]
APP = App("main", "any", "key", (b"s3cret", b"s3cret-of-yesterday"), b"token")
NO_SECRET = App("main", "any", "key", (), b"")
BODIES = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"0" * 5_000,
    b"\0" * 64,
    "订单".encode(),
)
VALUES = (
    "",
    "0",
    "-1",
    "1763553600",
    "9" * 400,
    "t=1,v1=0",
    "t=,v1=",
    ",=,",
    "é" * 64,
    "\0",
    "a" * 8_000,
    "%00",
    "sha256=" + "0" * 64,
)


def hook_of(kind: type) -> Hook:
    """A row of this kind with whatever it needs, and what is off switched on."""
    needed: dict[str, Any] = {"kind": kind.__struct_config__.tag, "name": "shop", "app": "main"}  # type: ignore[attr-defined]
    if "enabled" in kind.__struct_fields__:  # type: ignore[attr-defined]
        needed |= {"enabled": True, "amounts_in": "fen"}
    return cast(Hook, msgspec.convert(needed, kind))


def named(kind: type) -> str:
    return str(kind.__struct_config__.tag)  # type: ignore[attr-defined]


def test_there_are_kinds_that_are_called() -> None:
    assert len(HOOKS) >= 8


@pytest.mark.parametrize("kind", HOOKS, ids=named)
def test_a_kind_that_is_called_is_a_hook(kind: type[CalledRow]) -> None:
    for name in ("verify", "answer_check", "parse"):
        ours, wanted = inspect.signature(getattr(kind, name)), inspect.signature(getattr(Hook, name))
        assert list(ours.parameters) == list(wanted.parameters)
        assert not inspect.iscoroutinefunction(getattr(kind, name))
    assert kind.HEADERS == tuple(name.lower() for name in kind.HEADERS)
    assert "x-forwarded-for" not in kind.HEADERS
    assert kind.CONTENT_TYPES == tuple(name.lower() for name in kind.CONTENT_TYPES)
    assert 0 < kind.BODY_BYTES_MAX <= 1_048_576


@pytest.mark.parametrize("kind", HOOKS, ids=named)
@pytest.mark.parametrize("app", [APP, NO_SECRET], ids=["secrets", "no secret"])
def test_no_noise_is_ever_accepted_and_none_raises(kind: type[CalledRow], app: App) -> None:
    """Whoever finds bytes that make `verify` raise can fill our log; whoever finds an empty secret is in."""
    hook = hook_of(kind)
    for body in BODIES:
        for value in VALUES:
            headers = dict.fromkeys(kind.HEADERS, value)
            names = ("signature", "timestamp", "nonce", "msg_signature", "sign", "token", "app")
            for query in ("", "&".join(f"{name}={value}" for name in names)):
                delivery = Delivery(kind.METHOD, "/hooks/shop", query, headers, body)
                verdict = hook.verify(delivery, app, NOW)
                assert isinstance(verdict, Refused), (value, query, body[:40])
    assert not isinstance(hook.verify(Delivery("POST", "/hooks/shop", "", {}, b"{}"), app, NOW), Accepted)


@pytest.mark.parametrize("kind", HOOKS, ids=named)
def test_no_noise_in_a_check_of_the_url_comes_back(kind: type[CalledRow]) -> None:
    hook = hook_of(kind)
    for value in VALUES:
        query = f"signature={value}&timestamp={value}&nonce={value}&echostr={value}&challenge={value}"
        reply = hook.answer_check(Delivery("GET", "/hooks/shop", query, {}, b""), APP)
        nothing = hook.answer_check(Delivery("GET", "/hooks/shop", "", {}, b""), APP)  # of own servers the same to all
        assert reply is None or reply == nothing or (reply.status, reply.body) == (401, b"")
