"""Every vector that the catalogue publishes for orders and for calls, and what a turned bit does to each recipe."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import signing

# From captures/webhook-recipes/vectors.json: signatures that the vendors' own packages made and accepted.
SHOPIFY_BODY = (
    b'{"id":820982911946154508,"name":"#9999","created_at":"2026-11-24T12:00:00-05:00","currency":"USD",'
    b'"total_price":"398.00","line_items":[{"id":866550311766439020,"sku":"SKU2006-001","quantity":1,"price":"199.00"}]}'
)
STRIPE_BODY = (
    b'{"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": 1795520000, "data": '
    b'{"object": {"id": "pi_1", "object": "payment_intent", "amount": 39800, "currency": "usd"}}}'
)
TIKTOK_BODY = (
    b'{"type":1,"tts_notification_id":"7327112393057371910","shop_id":"7494049642642441621","timestamp":1795520000,'
    b'"data":{"order_id":"576486316948490001","order_status":"UNPAID","is_on_hold_order":false,"update_time":1795520000}}'
)
DOUYIN_LIVE = {"x-nonce-str": "123456", "x-timestamp": "456789", "x-roomid": "268", "x-msg-type": "live_gift"}
KWAIXIAODIAN = {
    "appkey": "ks123",
    "method": "open.seller.order.list",
    "version": "1",
    "param": '{"title":"短袖"}',
    "access_token": "token",
    "timestamp": "1583271919000",
}
TAOBAO = {
    "app_key": "12345678",
    "fields": "num_iid,title,nick,price,num",
    "format": "json",
    "method": "taobao.item.seller.get",
    "num_iid": "11223344",
    "session": "test",
    "sign_method": "md5",
    "timestamp": "2016-01-01 12:00:00",
    "v": "2.0",
}
JD = {
    "360buy_param_json": '{"end_date":null,"optional_fields":null,"order_state":"WAIT_SELLER_STOCK_OUT","page":"1",'
    '"page_size":"200","start_date":null}',
    "access_token": "yourtoken",
    "app_key": "yourappkey",
    "method": "jingdong.pop.order.search",
    "timestamp": "2021-05-07 09:20:39.683+0800",
    "v": "2.0",
}
PINDUODUO = {
    "access_token": "asd78172s8ds9a921j9qqwda12312w1w21211",
    "client_id": "1",
    "data_type": "XML",
    "order_status": "1",
    "page": "1",
    "page_size": "10",
    "timestamp": "1480411125",
    "type": "pdd.order.number.list.get",
}
TMC_CONNECT = {"app_key": "12345", "group_name": "default", "timestamp": "1700000000000"}
XIAOHONGSHU_PUSH = {"app-key": "appid", "timestamp": "1700000000"}
BILIBILI = {
    "x-bili-accesskeyid": "xxxx",
    "x-bili-content-md5": "fa6837e35b2f591865b288dfd859ce9d",
    "x-bili-signature-method": "HMAC-SHA256",
    "x-bili-signature-nonce": "ad184c09-095f-91c3-0849-230dd3744045",
    "x-bili-signature-version": "1.0",
    "x-bili-timestamp": "1624594467",
}
BILIBILI_START = b'{"app_id":1234567890123,"code":"TESTCODE"}'
WECHAT_ENCRYPT = (
    b"+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT"
    b"740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8Y"
    b"L/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
WECHAT_REPLY = b"ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="


def md5_hex(text: bytes) -> str:
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


VECTORS = {
    "douyin webhook": (
        signing.douyin_webhook(
            b'{"event":"verify_webhook","client_key":"abc","content":{"challenge":12345}}', b"secret"
        ),
        "277df63c0efb431eccf64a233b0eee5ea94b6c4a",
    ),
    "douyin live": (
        signing.douyin_live(DOUYIN_LIVE, "abc123你好".encode(), b"123abc"),
        "PDcKhdlsrKEJif6uMKD2dw==",
    ),
    "kwaixiaodian call, MD5": (
        signing.kwaixiaodian_request(KWAIXIAODIAN | {"signMethod": "MD5"}, b"sign-secret"),
        "6005da269b372ff10945e565ef37a4c6",
    ),
    "kwaixiaodian call, HMAC_SHA256": (
        signing.kwaixiaodian_request(KWAIXIAODIAN | {"signMethod": "HMAC_SHA256"}, b"sign-secret"),
        "ZpPrG0oB1g/T93FyyVD+VCzRey41yqxZoCqcGg7upYM=",
    ),
    "kuaishou play push": (
        signing.kuaishou_play_push(b'{"message_id":"m1","event":"LIVE_INTERACTION_DATA"}', b"app_secret"),
        "5e15522e1767bc16a839aedfa45c560b",
    ),
    "taobao call, md5": (signing.secret_wrapped(TAOBAO, b"helloworld"), "66987CB115214E59E6EC978214934FB8"),
    "taobao call, hmac": (signing.taobao_request_hmac(TAOBAO, b"helloworld"), "B4DDA503460D60A86B16E950E5D303E9"),
    "taobao tmc connect": (signing.secret_wrapped(TMC_CONNECT, b"secret"), "B3DB64AAC6521B83E51BF022C81DB029"),
    "jd call": (signing.secret_wrapped(JD, b"yourappSecret"), "D70825340F4084360B9362B60DFD7930"),
    "pinduoduo call": (signing.secret_wrapped(PINDUODUO, b"testSecret"), "E4DE3ED21002510DED352819E7AE6775"),
    "pinduoduo socket": (
        signing.pinduoduo_digest("app", "1700000000000", b"secret"),
        "OTgxODMwNDI2NWZiN2NiNzA2NzIxOTI0ZjJlMDMxMjE=",
    ),
    "wechat url check": (
        signing.wechat(b"AAAAA", b"1714036504", b"1514711492"),
        "f464b24fc39322e44b38aa78f5edd27bd1441696",
    ),
    "wechat push": (
        signing.wechat(b"AAAAA", b"1714112445", b"415670741", WECHAT_ENCRYPT),
        "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    ),
    "wechat reply": (
        signing.wechat(b"AAAAA", b"1713424427", b"415670741", WECHAT_REPLY),
        "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
    ),
    "xiaohongshu call": (
        signing.xiaohongshu_request("order.getOrderDetail", "appid", "1700000000", b"secret"),
        "97ce300835a1950e87bdd9ec86ab955d",
    ),
    "xiaohongshu push": (
        signing.xiaohongshu_push("/open_api/msg", XIAOHONGSHU_PUSH, b"secret"),
        "03dcd8b85267d3ad28820296a1d2566d",
    ),
    "bilibili call": (
        signing.bilibili_request(BILIBILI, b"secret"),
        "4d16de0612608245d3a4c277680a85e4b24f0015183b585fa41b421c45d94255",
    ),
    "bilibili call with a body": (
        signing.bilibili_request(
            BILIBILI | {"x-bili-content-md5": md5_hex(BILIBILI_START)},
            b"JzOzZfSHeYYnAMZ",
        ),
        "eb7b80db8f61e7a9a2c7a3c28cda45a30816162b3dc7d5cfae43950e4313dbe4",
    ),
    # Version 2.0, in an account's name: its token goes beside, and is not signed. Computed by openssl.
    "bilibili call with a token": (
        signing.bilibili_request(
            BILIBILI
            | {"x-bili-content-md5": md5_hex(b""), "x-bili-signature-version": "2.0", "access-token": "a-token"},
            b"secret",
        ),
        "43ed8a3152a074cbf15e55232c3045ae9a0c348f66bca9b503e0e933389432d6",
    ),
    "shopify": (signing.shopify(SHOPIFY_BODY, b"hush"), "jLtrQkp+u7FTJiEGDsVlpeXRRK9TPQsFdMw1CHoJBDY="),
    "stripe": (
        signing.stripe("1795524861", STRIPE_BODY, b"whsec_x"),
        "1e6cd2b6282ad8452c9da21f0d6c23273a5258dc8ad69c8c6b3fef65bc2d2309",
    ),
    "tiktok shop": (
        signing.tiktok_shop("key", TIKTOK_BODY, b"sec"),
        "722ccc573a30387bcf8540790be8b535c54a1db56921b8ac84d48a4f9a6c8e8d",
    ),
    # "Sign your API request" of partner.tiktokshop.com, as test suites of four public clients carry it.
    "tiktok shop call": (
        signing.tiktok_shop_request(
            "/authorization/202309/shops", {"timestamp": "1623812664", "app_key": "29a39d"}, b"", b"e59af819cc"
        ),
        "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8",
    ),
    "tiktok for developers": (
        signing.tiktok_developers("1795524861", b"{}", b"cs"),
        "c9eaac2a5c45031a21d889a0f3bd0199db98613c00c1fe85aa9dd85e22bcc2c3",
    ),
}


@pytest.mark.parametrize("vector", VECTORS)
def test_the_recipe_gives_what_the_catalogue_gives(vector: str) -> None:
    ours, published = VECTORS[vector]
    assert ours == published
    assert signing.same(published, ours)


def test_doudian_has_no_published_vector_so_its_recipe_is_spelled_out() -> None:
    body = b'[{"tag":"101","msg_id":"1","data":{"p_id":4781320682406083640}}]'
    assert signing.doudian_push("app", body, b"key") == md5_hex(b"app" + body + b"key")
    call = {
        "app_key": "app",
        "method": "order.orderDetail",
        "param_json": signing.doudian_param_json({"b": {"d": "短袖", "c": 1}, "a": "2"}),
        "timestamp": "2026-11-24 20:00:00",
        "v": "2",
        "access_token": "not signed",
    }
    spelled = (
        "keyapp_keyappmethodorder.orderDetailparam_json"
        '{"a":"2","b":{"c":1,"d":"短袖"}}timestamp2026-11-24 20:00:00v2key'
    )
    assert signing.doudian_request(call, b"key") == md5_hex(spelled.encode())
    assert len(signing.doudian_request(call, b"key", "hmac-sha256")) == 64


@pytest.mark.parametrize("told", ["", "a", "签名", "\udcff", "A" * 10_000])
def test_what_is_no_signature_at_all_is_told_apart_without_an_error(told: str) -> None:
    assert not signing.same(told, signing.sha1_hex(b"x"))


@given(body=st.binary(min_size=1, max_size=200), bit=st.integers(0), data=st.data())
def test_one_turned_bit_gives_another_signature(body: bytes, bit: int, data: st.DataObject) -> None:
    bit %= len(body) * 8
    turned = bytearray(body)
    turned[bit // 8] ^= 1 << bit % 8
    recipes = (
        lambda raw: signing.doudian_push("app", raw, b"key"),
        lambda raw: signing.doudian_push_hmac("app", raw, b"key"),
        lambda raw: signing.wechat(b"token", b"1", b"2", raw),
        lambda raw: signing.kuaishou_play_push(raw, b"key"),
        lambda raw: signing.douyin_webhook(raw, b"key"),
        lambda raw: signing.douyin_live(DOUYIN_LIVE, raw, b"key"),
        lambda raw: signing.shopify(raw, b"key"),
        lambda raw: signing.stripe("1", raw, b"key"),
        lambda raw: signing.tiktok_shop("app", raw, b"key"),
    )
    recipe = data.draw(st.sampled_from(recipes))
    assert not signing.same(recipe(bytes(turned)), recipe(body))
