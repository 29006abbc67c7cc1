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
HALLS = "ABCD"

# Where rooms are, with their share of 12,000 rooms, how the platform writes the id of a room, and its shops: of which
# kind they are and how many rooms one of them has on average. Own servers' rooms sell in shops of several kinds.
PLATFORMS: dict[str, tuple[float, str]] = {
    "nginx_rtmp": (0.40, "live/{letters}{number:05d}"),
    "wechat": (0.18, "sphLN{number:05d}"),
    "doudian": (0.18, "{long}"),  # the author's id
    "kwaixiaodian": (0.11, "{short}"),
    "taobao": (0.06, "AAF{letters}{number:05d}"),
    "pinduoduo": (0.03, "{short}"),
    "xiaohongshu": (0.02, "5f{number:022x}"),
    "tiktok_shop": (0.02, "{long}"),
}
OWN_SHOPS = (("push_json", 0.76), ("shopify", 0.08), ("stripe", 0.06), ("jd", 0.10))
ROOMS_OF_A_SHOP = 12
TIER_ONE, TIER_TWO, TIER_THREE = 100_000, 10_000, 1_000  # fans from which a room is of this tier
OWN_SERVER_FANS_MAX = 100_000  # stars are on platforms: no hall has the lines for their audience


class Part(msgspec.Struct, frozen=True):
    """One room of the play, with what its row of the roster says, and more that only the play knows.

    `sells_on` is the kind of shop (a platform, or push_json for the event's own), `draw` how many people usually watch.
    """

    number: int
    platform: str
    room: str
    anchor: str
    broadcaster: str
    hall: str
    city: str
    category: str
    tier: int
    fans: int
    shop: str
    sells_on: str
    product: str
    draw: float


def cast(rooms: int, seed: int, halls: str = HALLS) -> list[Part]:
    """So many rooms, dealt over cities and halls one after the other; a longer cast begins with the shorter one.

    Of 12,000 rooms about 70 have over 100,000 fans, 30 of them over a million, several near ten; most have some
    hundreds: 116 million fans in all.
    """
    parts: list[Part] = []
    long_tail = rooms - stars(rooms)
    for number in range(rooms):
        dice = random.Random(f"cast {seed} {number}")  # noqa: S311 (a play, no secret)
        city, letters, product, category = CITIES[number % len(CITIES)]
        if dice.random() < 0.3:
            product, category = dice.choice(OTHER_GOODS)
        broadcaster = dice.choice(SURNAMES) + dice.choice(GIVEN)
        if parts and dice.random() < 0.05:  # the same person in a second room
            broadcaster = parts[-1].broadcaster
        fans = round(500 * dice.lognormvariate(0, 1.1))
        [platform] = dice.choices(list(PLATFORMS), [share for share, _ in PLATFORMS.values()])
        [sells_on] = dice.choices([kind for kind, _ in OWN_SHOPS], [share for _, share in OWN_SHOPS])
        shop = 1 + dice.randrange(max(1, round(rooms * PLATFORMS[platform][0] / ROOMS_OF_A_SHOP)))
        parts.append(
            Part(
                number=number,
                platform=platform,
                room=PLATFORMS[platform][1].format(
                    letters=letters, number=number, long=7_000_000_000_000_000_000 + number, short=10_000_000 + number
                ),
                anchor=f"{city}{broadcaster[1:]}{dice.choice(NICKS)}{product}",
                broadcaster=broadcaster,
                hall=halls[number % len(halls)],
                city=city,
                category=category,
                tier=1 if fans >= TIER_ONE else 2 if fans >= TIER_TWO else 3 if fans >= TIER_THREE else 4,
                fans=fans,
                shop=str(4_460_000 + shop),
                sells_on=sells_on if platform == "nginx_rtmp" else platform,
                product=product,
                draw=5 + 0.01 * fans,
            )
        )
    assert long_tail <= rooms
    return parts


def stars(rooms: int) -> int:
    """How many of so many rooms are stars'."""
    return round(rooms * 70 / 12_000)


def roster_csv(parts: Sequence[Part]) -> bytes:
    """The cast as a roster file, as a spreadsheet in China would save it: UTF-8 with BOM."""
    columns = (
        "platform", "room", "anchor", "broadcaster", "hall", "city", "category", "tier", "fans", "shop",
    )  # fmt: skip
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([getattr(part, column) for column in columns] for part in parts)
    return text.getvalue().encode("utf-8-sig")
