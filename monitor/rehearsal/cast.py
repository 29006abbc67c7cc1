"""Who plays: rooms with their broadcasters, cities, shops, fans and halls, the same for the same seed."""

import csv
import io
import random
from collections import Counter
from collections.abc import Sequence
from math import pow, sqrt

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
SURNAMES = "王李张刘赵孙于杨徐陈姜宋高郭马林曲丛邹吕"
GIVEN = "雪梅鹏东娜国婷燕强玲雨宝慧生柱红伟静波洋丽军霞辉敏涛艳超杰颖凤龙晶磊佳芳"  # each name has two of these
NICKS = ("姐家的", "小哥的", "老铁", "二姨的", "掌柜的", "甄选", "大叔的", "妹子的", "良品", "源头")
HALLS = "ABCD"

# Where rooms are, with their share, and how the platform writes the id of a room: doudian's is the author's id,
# wechat's the finder_id, as their orders name it.
PLATFORMS: dict[str, tuple[float, str]] = {
    "nginx_rtmp": (0.40, "live/{letters}{number:05d}"),
    "wechat": (0.18, "sphLN{number:05d}"),
    "doudian": (0.18, "{long}"),
    "kwaixiaodian": (0.11, "{short}"),
    "taobao": (0.06, "AAF{letters}{number:05d}"),
    "pinduoduo": (0.03, "{short}"),
    "xiaohongshu": (0.02, "5f{number:022x}"),
    "tiktok_shop": (0.02, "{long}"),
}
HOSTED = {platform: share for platform, (share, _) in PLATFORMS.items() if platform != "nginx_rtmp"}
OWN_SHOPS = {"push_json": 0.76, "shopify": 0.08, "stripe": 0.06, "jd": 0.10}  # where rooms of own servers sell
SHOPS: dict[str, str] = {  # how each kind of shop writes its id; all others: digits
    "wechat": "gh_{number:012x}",
    "xiaohongshu": "5e{number:022x}",
    "tiktok_shop": "749{number:016d}",
    "push_json": "LN-{number}",
    "shopify": "ln-{number}.myshopify.com",
    "stripe": "acct_1LN{number:013d}",
}
ROOMS_OF_A_SHOP = 20  # at most: one shop is one city's
TIER_ONE, TIER_TWO, TIER_THREE = 100_000, 10_000, 1_000  # fans from which a room is of this tier
OWN_SERVER_FANS_MAX = 100_000  # stars are on platforms: no hall has the lines for their audience
DRAW_MAX, VILLAGE_DRAW_MAX = 200.0, 40.0  # of all who are no stars, and of the lowest tier

STARS, OF_ROOMS = 70, 12_000
MILLIONS = 30  # so many of the stars have more than a million fans
FIRST_STAR = 20  # the room that is the first star's; the others stand evenly behind it
RANK_STEP = (
    43  # has no factor in common with STARS: each rank comes once in 12,000 rooms, and small casts have a mixture
)


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

    @property
    def star(self) -> bool:
        return self.tier == 1


def cast(rooms: int, seed: int, halls: str = HALLS) -> list[Part]:
    """So many rooms, dealt over cities and halls one after the other; a longer cast begins with the shorter one.

    Of 12,000 rooms 70 have over 100,000 fans, 30 of them over a million, several near ten; most have some hundreds:
    116 million fans in all. Each shop sells for rooms of one city; a star has a shop of their own.
    """
    parts: list[Part] = []
    sellers = Counter[tuple[str, str]]()
    shops = Counter[str]()
    open_shop: dict[tuple[str, str], str] = {}
    second = True  # whether the last room is its broadcaster's second
    for number in range(rooms):
        dice = random.Random(f"cast {seed} {number}")  # noqa: S311 (a play, no secret)
        city, letters, product, category = CITIES[number % len(CITIES)]
        if dice.random() < 0.3:
            product, category = dice.choice(OTHER_GOODS)
        second = not second and dice.random() < 0.05
        broadcaster = parts[-1].broadcaster if second else name(number, seed)
        rank = star_rank(number)
        fans = usual_fans(dice) if rank is None else star_fans(rank, dice)
        platform, sells_on = where(dice, hosted=rank is not None)
        selling = (sells_on, city)
        if rank is not None or sellers[selling] % ROOMS_OF_A_SHOP == 0:
            shops[sells_on] += 1
            shop = SHOPS.get(sells_on, "{number}").format(number=4_460_000 + 7 * shops[sells_on])
            if rank is None:
                open_shop[selling] = shop
        else:
            shop = open_shop[selling]
        sellers[selling] += rank is None
        parts.append(
            Part(
                number=number,
                platform=platform,
                room=PLATFORMS[platform][1].format(
                    letters=letters,
                    number=number,
                    long=7_012_345_678_901_234_567 + 2_654_435_761_333 * number,
                    short=10_000_000 + number,
                ),
                anchor=f"{city}{broadcaster[1:]}{dice.choice(NICKS)}{product}",
                broadcaster=broadcaster,
                hall=halls[number % len(halls)],
                city=city,
                category=category,
                tier=1 if fans >= TIER_ONE else 2 if fans >= TIER_TWO else 3 if fans >= TIER_THREE else 4,
                fans=fans,
                shop=shop,
                sells_on=sells_on,
                product=product,
                draw=usual_draw(fans, dice),
            )
        )
    return parts


def name(number: int, seed: int) -> str:
    """A person's name; no two people have the same one."""
    lap, place = divmod(number, len(SURNAMES) * len(GIVEN) ** 2)
    place = (place * 7_919 + seed * 104_729) % (len(SURNAMES) * len(GIVEN) ** 2)  # a prime: each place comes once
    place, first = divmod(place, len(GIVEN))
    surname, second = divmod(place, len(GIVEN))
    return SURNAMES[surname] + GIVEN[first] + GIVEN[second] + (str(lap + 1) if lap else "")


def star_rank(number: int) -> int | None:
    """Which of the 70 stars of 12,000 rooms has this room; 0 has most fans."""
    before, after = stars(number), stars(number + 1)
    return (RANK_STEP * before + 20) % STARS if after > before else None


def stars(rooms: int) -> int:
    """How many of so many rooms are stars'."""
    return (rooms * STARS + OF_ROOMS - (FIRST_STAR + 1) * STARS) // OF_ROOMS if rooms > FIRST_STAR else 0


def star_fans(rank: int, dice: random.Random) -> int:
    """A tenth of a million to ten millions, spread over the ranks so that the sum hardly depends on the dice."""
    if rank < MILLIONS:
        above = 1 - (rank + dice.random()) / MILLIONS
        return 1_001_000 + round(8_990_000 * pow(above, 3.5))
    above = 1 - (rank - MILLIONS + dice.random()) / (STARS - MILLIONS)
    return round(TIER_ONE * pow(10, 0.99 * above))


def usual_fans(dice: random.Random) -> int:
    return min(round(500 * dice.lognormvariate(0, 1.1)), OWN_SERVER_FANS_MAX - 1)


def usual_draw(fans: int, dice: random.Random) -> float:
    """How many people watch: 5 to 40 in a village, 5,000 to 60,000 with stars. Of many fans a smaller share comes."""
    if fans >= TIER_ONE:
        return round(min(max(5_000 * pow(fans / TIER_ONE, 0.3) * dice.lognormvariate(0, 0.25), 5_000), 60_000), 1)
    most = VILLAGE_DRAW_MAX if fans < TIER_THREE else DRAW_MAX
    return round(min(max(0.55 * sqrt(fans) * dice.lognormvariate(0, 0.35), 5), most), 1)


def where(dice: random.Random, hosted: bool) -> tuple[str, str]:
    """The platform of a room and the kind of shop that it sells in."""
    shares = HOSTED if hosted else {platform: share for platform, (share, _) in PLATFORMS.items()}
    [platform] = dice.choices(list(shares), list(shares.values()))
    [own] = dice.choices(list(OWN_SHOPS), list(OWN_SHOPS.values()))
    return platform, own if platform == "nginx_rtmp" else platform


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
