"""Calls of own servers and of clouds, each alone: what they mean, and what is refused."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from collectors.collector import BadFrame
from collectors.hook import Accepted, App, Delivery, Hook, Refused
from collectors.platforms.aliyun_live import AliyunLive
from collectors.platforms.tencent_live import TencentLive
from collectors.platforms.volcengine_live import VolcengineLive
from collectors.servers.nginx_rtmp_hooks import NginxRtmpHooks
from collectors.servers.node_media_server_hooks import NodeMediaServerHooks
from collectors.servers.srs_hooks import SrsHooks
from collectors.servers.zlmediakit_hooks import ZlmediakitHooks
from collectors.signing import aliyun_live, key_and_expiry
from collectors.tick import Tick
from collectors.whole_seconds import ordered

NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
SECOND = int(NOW.timestamp())
KEY = b"key-of-a-test"
APP = App("halls", "any", secrets=(KEY, b"key-of-yesterday"))
NGINX = NginxRtmpHooks(name="n", app="halls")
SERVERS = [
    NGINX, SrsHooks(name="s", app="halls"), ZlmediakitHooks(name="z", app="halls"),
    NodeMediaServerHooks(name="m", app="halls"),
]  # fmt: skip
CLOUDS = [TencentLive(name="t", app="halls"), AliyunLive(name="a", app="halls"), VolcengineLive(name="v", app="halls")]
TENCENT = {"event_type": 1, "appname": "live", "stream_id": "r", "sequence": "1", "event_time": SECOND}


def ticks(hook: Hook, body: bytes | dict[str, object], query: str = "") -> list[Tick]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    frame = msgspec.msgpack.encode(Delivery("POST", "/hooks/x", query, {}, raw))
    return list(hook.parse(frame, NOW, APP).ticks)


def named(hook: object) -> str:
    return str(type(hook).__struct_config__.tag)  # type: ignore[attr-defined]


@pytest.mark.parametrize("hook", SERVERS, ids=named)
def test_an_own_server_is_known_by_the_token_of_its_address_alone(hook: Hook) -> None:
    def verdict(query: str, app: App = APP) -> Accepted | Refused:
        return hook.verify(Delivery("POST", "/hooks/x", query, {}, b""), app, NOW)

    for secret in APP.secrets:
        assert verdict(f"token={secret.decode()}") == Accepted(hook.ALLOW)  # type: ignore[attr-defined]
    for query in ("token=guess", "token=key-of-a-tes", "token=%E6%92%AD"):
        assert verdict(query) == Refused("bad_signature")
    for query in ("", "token=", f"token={KEY.decode()}&token=x", "key=key-of-a-test"):
        assert verdict(query) == Refused("malformed")
    assert verdict("token=x", App("halls", "any")) == Refused("bad_signature")
    assert verdict("token=%E6%92%AD", App("halls", "any", secrets=("播".encode(),))) == Accepted(hook.ALLOW)  # type: ignore[attr-defined]


@pytest.mark.parametrize("hook", [*SERVERS, *CLOUDS], ids=named)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"\0" * 64, b"a=1", b"%ff=%ff", b"[" * 9_000])
def test_what_means_nothing_is_said_to_be_so(hook: Hook, body: bytes) -> None:
    with pytest.raises(BadFrame):
        ticks(hook, body)


def test_what_a_publisher_adds_to_the_name_of_his_stream_changes_nothing_before_it() -> None:
    body = b"app=live&clientid=3&call=publish&name=room1&type=live&clientid=9&name=room2&call=publish_done&app=x"
    assert ticks(NGINX, body) == [Tick("n", "live/room1", NOW, "event", True, session_key=":3")]


def test_names_of_streams_may_be_chinese() -> None:
    body = b"app=live&clientid=3&call=publish&name=%E7%9B%B4%E6%92%AD%E9%97%B4%201&type=live"
    assert [tick.room for tick in ticks(NGINX, body)] == ["live/直播间 1"]


@pytest.mark.parametrize("client", ["", "x", "-3", "３", "3 "])
def test_a_publisher_without_a_number_is_nobody(client: str) -> None:
    with pytest.raises(BadFrame, match="incomplete"):
        ticks(NGINX, f"app=live&clientid={client}&call=publish&name=room1".encode())


def test_too_many_fields_are_no_call() -> None:
    with pytest.raises(BadFrame, match="bad_form"):
        ticks(NGINX, b"app=live&clientid=3&call=publish&name=room1" + b"&x=1" * 100)


@pytest.mark.parametrize("action", ["on_connect", "on_close", "on_play", "on_stop", "on_hls", "on_dvr"])
def test_of_srs_only_publishers_say_how_a_room_stands(action: str) -> None:
    assert ticks(SERVERS[1], {"action": action, "client_id": "a", "app": "live", "stream": "room1"}) == []


def test_node_media_server_says_half_a_minute_later_when_it_was() -> None:
    told = {"action": "donePublish", "id": "a", "app": "live", "name": "r", "endtime": (SECOND - 30) * 1000}
    assert [tick.at for tick in ticks(SERVERS[3], told)] == [NOW - timedelta(seconds=30)]


def test_one_protocol_of_zlmediakit_speaks_for_the_stream() -> None:
    stopped = {"regist": False, "app": "live", "stream": "r"}
    assert ticks(SERVERS[2], stopped | {"schema": "hls"}) == []
    assert [tick.live for tick in ticks(SERVERS[2], stopped | {"schema": "rtmp"})] == [False]
    assert [tick.live for tick in ticks(ZlmediakitHooks(name="z", app="a", schema="hls"), stopped | {"schema": "hls"})]
    assert ticks(SERVERS[2], {"regist": True, "app": "live", "stream": "r", "schema": "rtmp"}) == []  # who, it says not


CODES = {
    "ended": [1, 2, 3, 4],
    "failed": [8, 12, 13, 14, 15, 16, 17, 20],
    None: [None, 0, 5, 6, 7, 9, 10, 11, 18, 19, 21, 22, -1, 10**6],
}


@pytest.mark.parametrize(("end", "code"), [(end, code) for end, codes in CODES.items() for code in codes])
def test_tencent_tells_a_sign_off_from_a_failure(end: str | None, code: int | None) -> None:
    (tick,) = ticks(CLOUDS[0], TENCENT | {"event_type": 0, "errcode": code})
    assert (tick.live, tick.end, tick.session_key) == (False, end, "1")
    (begun,) = ticks(CLOUDS[0], TENCENT | {"errcode": code})
    assert (begun.live, begun.end) == (True, None)


def test_events_that_are_not_of_pushes_say_nothing_of_rooms() -> None:
    for event in (100, 200, 321, 332):
        assert ticks(CLOUDS[0], TENCENT | {"event_type": event}) == []


def test_a_name_of_an_event_that_is_not_known_is_shown_to_a_person() -> None:
    told = {"app": "live", "stream": "r", "session_id": "s", "time": SECOND}
    with pytest.raises(BadFrame, match="unknown_event"):
        ticks(CLOUDS[2], told | {"event_type": "push_over"})
    other = VolcengineLive(name="v", app="a", end_events=["push_over"])
    assert [tick.live for tick in ticks(other, told | {"event_type": "push_over"})] == [False]


def test_moments_of_one_second_are_in_the_order_in_which_they_can_have_been() -> None:
    end_before, begin, short = (
        ordered(NOW, False, timedelta(minutes=5)), ordered(NOW, True), ordered(NOW, False, timedelta(seconds=0.7)),
    )  # fmt: skip
    assert NOW == end_before < begin < short < NOW + timedelta(seconds=1)
    assert ordered(NOW, False) == NOW


def signed(t: object, key: bytes = KEY, **more: object) -> Delivery:
    body = {"t": t, "sign": key_and_expiry(str(t), key)} | more
    return Delivery("POST", "/hooks/x", "", {}, json.dumps(body).encode())


@pytest.mark.parametrize("hook", [CLOUDS[0], CLOUDS[2]], ids=named)
def test_a_callback_is_known_by_its_key_and_for_a_time(hook: Hook) -> None:
    def verdict(delivery: Delivery) -> str:
        found = hook.verify(delivery, APP, NOW)
        return found.reason if isinstance(found, Refused) else found.reply.body.decode()

    assert verdict(signed(SECOND + 600)) == verdict(signed(str(SECOND + 600))) == '{"code":0}'
    assert verdict(signed(SECOND + 600, b"key-of-yesterday")) == '{"code":0}'
    assert verdict(signed(SECOND - 600)) == '{"code":0}'  # a redelivery that has the stamp of the first
    assert verdict(signed(SECOND - 1_000)) == verdict(signed(SECOND + 7_200)) == "stale"
    assert verdict(signed(SECOND + 600, b"guess")) == verdict(signed(SECOND, sign="é")) == "bad_signature"
    assert verdict(signed("soon")) == verdict(signed(10**400)) == verdict(signed(None)) == "malformed"


def test_the_same_callback_again_has_the_same_name_and_another_has_another() -> None:
    verdicts = [CLOUDS[0].verify(signed(SECOND + 600, n=n), APP, NOW) for n in (1, 1, 2)]
    names = [verdict.delivery_id for verdict in verdicts if isinstance(verdict, Accepted) and verdict.once]
    assert names[0] == names[1] != names[2]


def asked(query: str, at: int = SECOND, domain: str = "push.example.cn", key: bytes = KEY) -> Accepted | Refused:
    headers = {"ali-live-timestamp": str(at), "ali-live-signature": aliyun_live(domain, str(at), key)}
    return CLOUDS[1].verify(Delivery("GET", "/hooks/x", query, headers, b""), APP, NOW)


def test_aliyun_signs_the_domain_and_the_time() -> None:
    query = "action=publish&app=push.example.cn&appname=live&id=r&time=1"
    verdict = asked(query)
    assert isinstance(verdict, Accepted)
    assert (verdict.reply.status, verdict.delivery_id) == (200, hashlib.sha256(query.encode()).hexdigest())
    assert verdict.once
    assert asked(query, key=b"guess") == asked(query, domain="other.example.cn") == Refused("bad_signature")
    assert asked(query, SECOND - 700) == asked(query, SECOND + 700) == Refused("stale")
    assert asked(query + "&id=other") == asked("action=publish") == Refused("malformed")


def test_what_aliyun_does_not_call_a_push_is_shown_to_a_person() -> None:
    with pytest.raises(BadFrame, match="unknown_call"):
        ticks(CLOUDS[1], b"", "action=record_error&appname=live&id=r&time=1")
    with pytest.raises(BadFrame, match="bad_time"):
        ticks(CLOUDS[1], b"", "action=publish&appname=live&id=r&time=soon")
