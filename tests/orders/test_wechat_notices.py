"""What WeChat tells a third-party platform of itself: the ticket that it authorises with, and who takes it back."""

import msgspec
import pytest

from collectors.collector import BadFrame
from collectors.hook import Notice
from collectors.orders.wechat_shop import WechatShop

from .chinese import WECHAT, meaning, verdict, wechat_xml

HOOK = WechatShop(name="wx", app="wechat-main")
TICKET = wechat_xml(
    "<InfoType>component_verify_ticket</InfoType><ComponentVerifyTicket>ticket@@@a-1_b</ComponentVerifyTicket>"
)


def test_the_ticket_is_taken() -> None:
    assert verdict(HOOK, TICKET, WECHAT) == "kept"
    assert meaning(HOOK, TICKET, WECHAT).notices == [Notice("ticket", value="ticket@@@a-1_b")]


def test_a_ticket_is_shown_nowhere() -> None:
    assert "a-1_b" not in repr(meaning(HOOK, TICKET, WECHAT).notices)


def test_a_shop_that_takes_its_authorisation_back_is_named() -> None:
    delivery = wechat_xml("<InfoType>unauthorized</InfoType><AuthorizerAppid>wxshop1</AuthorizerAppid>")
    assert meaning(HOOK, delivery, WECHAT).notices == [Notice("revoked", "wxshop1")]


@pytest.mark.parametrize("kind", ["authorized", "updateauthorized", "notify_third_fasteregister", ""])
def test_other_news_are_none_to_us(kind: str) -> None:
    told = meaning(HOOK, wechat_xml(f"<InfoType>{kind}</InfoType>"), WECHAT)
    assert (told.notices, told.sales) == ([], ())


@pytest.mark.parametrize("ticket", ["", "x" * 513, "票", "a\nb"])
def test_what_is_no_ticket_is_a_bad_frame(ticket: str) -> None:
    inside = f"<InfoType>component_verify_ticket</InfoType><ComponentVerifyTicket>{ticket}</ComponentVerifyTicket>"
    with pytest.raises(BadFrame, match="bad_ticket"):
        meaning(HOOK, wechat_xml(inside), WECHAT)


def test_a_forged_ticket_is_refused() -> None:
    forged = msgspec.structs.replace(TICKET, body=TICKET.body.replace(b"<Encrypt>", b"<Encrypt>A"))
    assert verdict(HOOK, forged, WECHAT) == "bad_signature"


def test_xml_that_is_none_is_malformed() -> None:
    assert verdict(HOOK, msgspec.structs.replace(TICKET, body=b"<xml><Encrypt>"), WECHAT) == "malformed"


def test_a_document_type_is_not_read() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><Encrypt>&a;</Encrypt></xml>'
    assert verdict(HOOK, msgspec.structs.replace(TICKET, body=bomb), WECHAT) == "malformed"
