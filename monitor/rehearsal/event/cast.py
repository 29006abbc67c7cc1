"""Who plays: rooms with their broadcasters, cities, shops, fans and halls, the same for the same seed."""

import csv
import io
import random
from collections import Counter
from collections.abc import Sequence

import msgspec

from .fans import star_fans, star_rank, tier_of, usual_draw, usual_fans

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
HALLS = "ABCDEFGHIJKLM"
# Rooms are dealt halls in rounds of these. The first four are large, and which of them a room has goes by its number.
ROUND = "ABCDEBCDAFCDABGDABCHEBCDAICDABJDEKCDAFLDABGMEBCH"
OWN = "nginx_rtmp"  # the platform of rooms that the event sends itself, whatever their hall has (`manners.server_of`)

# Where rooms are, with their share, and how the platform writes the id of a room: doudian's is the author's id,
# wechat's the finder_id, as their orders name it. A room of youtube is a video, which is one broadcast.
PLATFORMS: dict[str, tuple[float, str]] = {
    "nginx_rtmp": (0.40, "live/{letters}{number:05d}"),
    "wechat": (0.18, "sphLN{number:05d}"),
    "bilibili": (0.02, "{short}"),
    "twitch": (0.01, "{short}"),
    "youtube": (0.01, "lnYT-{number:05d}Q"),
    "doudian": (0.14, "{long}"),
    "kwaixiaodian": (0.11, "{short}"),
    "taobao": (0.06, "AAF{letters}{number:05d}"),
    "pinduoduo": (0.03, "{short}"),
    "xiaohongshu": (0.02, "5f{number:022x}"),
    "tiktok_shop": (0.02, "{long}"),
}
HOSTED = {platform: share for platform, (share, _) in PLATFORMS.items() if platform != OWN}
# Where rooms sell whose platform has no orders.
ELSEWHERE = {"bilibili": "jd", "twitch": "stripe", "youtube": "stripe"}
OWN_SHOPS = {"push_json": 0.76, "shopify": 0.08, "stripe": 0.06, "jd": 0.10}  # where rooms of own servers sell
SHOP_IDS: dict[str, str] = {  # how each kind of shop writes its id; all others: digits
    "wechat": "gh_{number:012x}",
    "xiaohongshu": "5e{number:022x}",
    "tiktok_shop": "749{number:016d}",
    "push_json": "LN-{number}",
    "shopify": "ln-{number}.myshopify.com",
    "stripe": "acct_1LN{number:013d}",
}
ROOMS_OF_A_SHOP = 20  # at most: one shop is one city's


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


def cast(rooms: int, seed: int, halls: str = ROUND) -> list[Part]:
    """So many rooms, dealt over cities and halls one after the other; a longer cast begins with the shorter one.

    Of 12,000 rooms 70 have over 100,000 fans, 30 of them over a million, several near ten; most have some hundreds:
    116 million fans in all. Each shop sells for rooms of one city; a star has a shop of their own.
    """
    parts: list[Part] = []
    shops = Shops()
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
        parts.append(
            Part(
                number=number,
                platform=platform,
                room=room_id(platform, letters, number),
                anchor=f"{city}{broadcaster[1:]}{dice.choice(NICKS)}{product}",
                broadcaster=broadcaster,
                hall=halls[number % len(halls)],
                city=city,
                category=category,
                tier=tier_of(fans),
                fans=fans,
                shop=shops.shop(sells_on, city, star=rank is not None),
                sells_on=sells_on,
                product=product,
                draw=usual_draw(fans, dice),
            )
        )
    return parts


def room_id(platform: str, letters: str, number: int) -> str:
    """As the platform writes it. Long ids differ in all their digits, as real ones do: a file of them looks exact."""
    long = 7_012_345_678_901_234_567 + 2_654_435_761_333 * number
    return PLATFORMS[platform][1].format(letters=letters, number=number, long=long, short=10_000_000 + number)


class Shops:
    """Gives each room the shop that it sells in: that of its city which still has a place, a star one of their own."""

    def __init__(self) -> None:
        self._opened = Counter[str]()
        self._rooms = Counter[tuple[str, str]]()
        self._newest: dict[tuple[str, str], str] = {}

    def shop(self, sells_on: str, city: str, star: bool) -> str:
        """Its id, in the form of the kind that it is of."""
        if star:
            return self._open(sells_on)
        place = sells_on, city
        if self._rooms[place] % ROOMS_OF_A_SHOP == 0:
            self._newest[place] = self._open(sells_on)
        self._rooms[place] += 1
        return self._newest[place]

    def _open(self, sells_on: str) -> str:
        self._opened[sells_on] += 1
        return SHOP_IDS.get(sells_on, "{number}").format(number=4_460_000 + 7 * self._opened[sells_on])


def name(number: int, seed: int) -> str:
    """A person's name; no two people have the same one."""
    lap, place = divmod(number, len(SURNAMES) * len(GIVEN) ** 2)
    place = (place * 7_919 + seed * 104_729) % (len(SURNAMES) * len(GIVEN) ** 2)  # a prime: each place comes once
    place, first = divmod(place, len(GIVEN))
    surname, second = divmod(place, len(GIVEN))
    return SURNAMES[surname] + GIVEN[first] + GIVEN[second] + (str(lap + 1) if lap else "")


def where(dice: random.Random, hosted: bool) -> tuple[str, str]:
    """The platform of a room and the kind of shop that it sells in."""
    shares = HOSTED if hosted else {platform: share for platform, (share, _) in PLATFORMS.items()}
    [platform] = dice.choices(list(shares), list(shares.values()))
    [own] = dice.choices(list(OWN_SHOPS), list(OWN_SHOPS.values()))
    return platform, own if platform == OWN else ELSEWHERE.get(platform, platform)


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
