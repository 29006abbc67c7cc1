"""What is given in a room of a played Bilibili at one moment, in the words of its messages and as money."""

import random
from typing import Any

import msgspec

from ..event.cast import Part

GIVEN_SHARE = 0.35  # of moments
UNPAID_SHARE = 0.2  # of gifts: of silver, or out of a bag
COINS_PER_FEN = 10  # 1,000 coins are one yuan
GIFTS = (  # name, id, coins for one
    ("辣条", 1, 100), ("小花花", 31_036, 100), ("牛哇牛哇", 31_039, 100), ("情书", 31_250, 5_200),
    ("沈阳号", 31_278, 124_500),
)  # fmt: skip
GUARD_COINS = {1: 19_998_000, 2: 1_998_000, 3: 168_000}  # a month as 总督, 提督, 舰长
SUPER_CHAT_YUAN = (30, 50, 100)


class Gift(msgspec.Struct, frozen=True):
    """`name` of the message and its `data`; `fact` names the gift for ever. Money is fen, 0 where nobody paid: then it
    is nothing to livemon."""

    name: str
    data: dict[str, Any]
    fact: str
    amount_minor: int


def gifts(seed: int, part: Part, moment: int) -> list[Gift]:
    """The same for the same moment."""
    dice = random.Random(f"gifts {seed} {part.number} {moment}")  # noqa: S311 (a play, no secret)
    if dice.random() >= GIVEN_SHARE:
        return []
    fact = f"g-{part.room}-{moment}"
    draw = dice.random()
    if draw < 0.05:
        level = dice.choice((2, 3, 3, 3, 3))
        coins, user = GUARD_COINS[level], {"open_id": _open_id(dice)}
        data = {"guard_level": level, "guard_num": 1, "guard_unit": "月", "price": coins, "msg_id": fact}
        return [Gift("GUARD", data | {"user_info": user}, fact, coins // COINS_PER_FEN)]
    if draw < 0.12:
        yuan, number = dice.choice(SUPER_CHAT_YUAN), part.number * 10**10 + moment
        data = {"message_id": number, "rmb": yuan, "message": "老板大气🎉", "open_id": _open_id(dice)}
        return [Gift("SUPER_CHAT", data, f"sc{number}", yuan * 100)]
    name, gift_id, each = dice.choice(GIFTS)
    units, paid = dice.choice((1, 1, 1, 2, 10)), dice.random() >= UNPAID_SHARE
    data = {
        "gift_id": gift_id, "gift_name": name, "gift_num": units, "price": each * units, "r_price": each * units,
        "paid": paid, "open_id": _open_id(dice), "uname": "东北老铁", "msg_id": fact,
    }  # fmt: skip
    return [Gift("SEND_GIFT", data, fact, each * units // COINS_PER_FEN * paid)]


def _open_id(dice: random.Random) -> str:
    return f"{dice.getrandbits(128):032x}"
