"""What a played Kwaixiaodian alone does: bodies closed as the catalogue's vector, three secrets, one event each."""

import base64
from pathlib import Path

import msgspec

from collectors.hook import Delivery
from monitor.rehearsal.platforms.kwaixiaodian import Kwaixiaodian, taken

from .asked import listened
from .staged import part, sold, staged

ROOM = part(7, "kwaixiaodian", room="10000007", sells_on="kwaixiaodian")
# china.md 4.1
KEY, TEXT = b"MDEyMzQ1Njc4OWFiY2RlZg==", b'{"eventId":"e1","event":"kwaishop_order_paySuccess","test":false}'
CLOSED = b"NDyh7Jj8WuRFJxFbufAX4dgAiwr9MqiaOvORZsnvyOoN1MfK/aowJEMB0UG37UDv4ZgZBPS4afCFHTX1N3EbWiDggp2WCcjwopV4EfkoFUE="


async def test_a_body_is_closed_as_the_catalogue_says(tmp_path: Path) -> None:
    async with staged(tmp_path, [ROOM]) as scene:
        platform = Kwaixiaodian(scene)
        platform.key = base64.b64decode(KEY)
        assert platform._closed(TEXT) == CLOSED


async def test_the_three_secrets_are_three_and_the_one_of_pushes_is_a_key_of_16_bytes(tmp_path: Path) -> None:
    async with staged(tmp_path, [ROOM]) as scene:
        secrets = Kwaixiaodian(scene).settings().secrets
        assert len(set(secrets.values())) == 3
        assert len(base64.b64decode(secrets["kwaixiaodian"], validate=True)) == 16


async def test_each_event_is_a_push_and_a_refund_two(tmp_path: Path) -> None:
    async with listened(tmp_path, Kwaixiaodian, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "paid", "refunded")):
            heard.platform.happened(event)
        sales = await heard.settled()
        assert sorted(sale.kind for sale in sales) == ["created", "paid", "refunded"]
        assert len(heard.kept) == 4
        bodies = [msgspec.msgpack.decode(frame, type=Delivery).body for frame, _ in heard.kept]
        assert len(set(bodies)) == 4
        # To the millisecond, as the order's detail has it.
        [paid] = [sale for sale in sales if sale.kind == "paid"]
        assert paid.at == heard.scene.tempo.at(107.35 + 1)
        assert paid.at.microsecond % 1000 == 0 < paid.at.microsecond


def test_only_result_1_is_an_answer() -> None:
    assert taken(200, b'{"result":1}')
    for status, body in ((500, b'{"result":1}'), (200, b""), (200, b'{"result":0}'), (200, b"1"), (404, b"404\n")):
        assert not taken(status, body)
