"""Who plays: rooms with their anchors, cities, categories and halls, the same for the same seed."""

import csv
import io
import random
from collections.abc import Sequence

import msgspec

CITIES = (  # city, its letters in room ids, what it is known for, and the category of that
    ("沈阳", "sy", "皮草", "服饰鞋包"),
    ("大连", "dl", "海参", "海鲜水产"),
    ("鞍山", "as", "岫玉", "珠宝玉石"),
    ("抚顺", "fs", "琥珀", "珠宝玉石"),
    ("本溪", "bx", "山货", "农副特产"),
    ("丹东", "dd", "草莓", "生鲜水果"),
    ("锦州", "jz", "小菜", "食品酒水"),
    ("营口", "yk", "海蜇", "海鲜水产"),
    ("阜新", "fx", "玛瑙", "珠宝玉石"),
    ("辽阳", "ly", "麻花", "食品酒水"),
    ("盘锦", "pj", "河蟹", "海鲜水产"),
    ("铁岭", "tl", "榛子", "农副特产"),
    ("朝阳", "cy", "小米", "农副特产"),
    ("葫芦岛", "hld", "泳装", "服饰鞋包"),
)
OTHER_GOODS = (("美妆", "美妆护肤"), ("家居", "家居日用"), ("童装", "母婴亲子"), ("非遗", "文旅非遗"))
SURNAMES = "王李张刘赵孙于杨徐陈姜宋高郭马林曲丛邹"
GIVEN = (
    "雪",
    "梅",
    "大鹏",
    "晓东",
    "丽娜",
    "建国",
    "婷婷",
    "海燕",
    "志强",
    "美玲",
    "思雨",
    "金宝",
    "佳慧",
    "春生",
    "铁柱",
)
NICKS = ("姐家的", "小哥的", "老铁", "二姨的", "掌柜的", "甄选", "大叔的", "妹子的", "良品", "源头")
TIERS = ((1, 0.05), (2, 0.15), (3, 0.35), (4, 0.45))  # tier and its share of the rooms
FANS = {1: 3_000_000, 2: 400_000, 3: 50_000, 4: 6_000}
HALLS = "ABCD"


class Part(msgspec.Struct, frozen=True):
    """One room of the play, with what its row of the roster says."""

    number: int
    room: str
    anchor: str
    broadcaster: str
    hall: str
    city: str
    category: str
    tier: int
    fans: int


def cast(rooms: int, seed: int, halls: str = HALLS) -> list[Part]:
    """So many rooms, dealt over the halls one after the other; a longer cast begins with the shorter one."""
    parts: list[Part] = []
    for number in range(rooms):
        dice = random.Random(f"cast {seed} {number}")  # noqa: S311 (a play, no secret)
        city, letters, product, category = CITIES[number % len(CITIES)]
        if dice.random() < 0.3:
            product, category = dice.choice(OTHER_GOODS)
        broadcaster = dice.choice(SURNAMES) + dice.choice(GIVEN)
        if parts and dice.random() < 0.05:  # the same person in a second room
            broadcaster = parts[-1].broadcaster
        [tier] = dice.choices([tier for tier, _ in TIERS], [share for _, share in TIERS])
        parts.append(
            Part(
                number=number,
                room=f"live/{letters}{number:05d}",
                anchor=f"{city}{broadcaster[1:]}{dice.choice(NICKS)}{product}",
                broadcaster=broadcaster,
                hall=halls[number % len(halls)],
                city=city,
                category=category,
                tier=tier,
                fans=round(FANS[tier] * dice.lognormvariate(0, 0.5)),
            )
        )
    return parts


def roster_csv(parts: Sequence[Part], platform: str) -> bytes:
    """The cast as a roster file, as a spreadsheet in China would save it: UTF-8 with BOM."""
    columns = ("room", "anchor", "broadcaster", "hall", "city", "category", "tier", "fans")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("platform", *columns))
    writer.writerows((platform, *(getattr(part, column) for column in columns)) for part in parts)
    return text.getvalue().encode("utf-8-sig")
