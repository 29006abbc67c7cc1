"""What the shops of a play have to sell: goods with their prices and with titles of which some are nasty but legal."""

import random

import msgspec

from .cast import Part

YUAN = 100  # fen
PRICES = {  # what one of it usually costs, in fen
    "皮草": 2_980 * YUAN,
    "海参": 498 * YUAN,
    "岫玉": 680 * YUAN,
    "琥珀": 560 * YUAN,
    "山货": 59 * YUAN,
    "草莓": 69 * YUAN,
    "小菜": 29 * YUAN,
    "海蜇": 58 * YUAN,
    "玛瑙": 168 * YUAN,
    "麻花": 35 * YUAN,
    "河蟹": 188 * YUAN,
    "榛子": 66 * YUAN,
    "小米": 39 * YUAN,
    "泳装": 99 * YUAN,
    "美妆": 139 * YUAN,
    "家居": 89 * YUAN,
    "童装": 79 * YUAN,
    "非遗": 128 * YUAN,
}
PRICES_OF_CATEGORIES = {
    "服饰鞋包": 199 * YUAN,
    "海鲜水产": 158 * YUAN,
    "珠宝玉石": 398 * YUAN,
    "农副特产": 49 * YUAN,
    "生鲜水果": 59 * YUAN,
    "食品酒水": 45 * YUAN,
}
USUAL_PRICE = 88 * YUAN
TITLES = (
    "{city}{product} 产地直发 顺丰包邮",
    "{city}{product} 礼盒装 送长辈",
    "精选{product} 家庭装 2份",
    "{product} 尝鲜小份",
    "掌柜推荐 {city}{product}",
    "头茬{product} 现拍现发 坏单包赔",
    "{product} 直播专享 限量500件",
)
NASTY_TITLES = (  # what breaks CSV, JSON written by hand, HTML, SQL, narrow columns and spreadsheets
    "🦀🔥{city}{product}🎁买一送一👨‍👩‍👧",
    '{product}"特级",净重500g, 顺丰',
    "{product}'s \\ 100%正品 & <b>包邮</b>",
    "【现货】{product}（全角：ＡＢＣ１２３，５００ｇ）",
    "=1+1;{product}\t组合装",
    "𠮷祥{product}﹏加\u200b量不加价",
)
NASTY_SHARE = 0.06
GOODS_MIN, GOODS_MAX = 3, 8
FEN_PER_CENT = 7  # fen for one US cent, near enough for a play
DOLLAR_SHARE = 0.5  # of shops at Stripe: those sell in US dollars


class Goods(msgspec.Struct, frozen=True):
    """One thing that a shop sells. `product` is an id of 19 digits, `price_minor` minor units of `currency`."""

    product: str
    title: str
    price_minor: int
    currency: str


def goods(part: Part) -> tuple[Goods, ...]:
    """What this room has to sell, best seller first: the same for all rooms of its shop, city and product."""
    currency = currency_of(part)
    usual = PRICES.get(part.product) or PRICES_OF_CATEGORIES.get(part.category, USUAL_PRICE)
    dice = random.Random(f"goods {part.sells_on} {part.shop} {part.city} {part.product}")  # noqa: S311 (a play, no secret)
    offered = []
    for _ in range(dice.randint(GOODS_MIN, GOODS_MAX)):
        title = dice.choice(NASTY_TITLES if dice.random() < NASTY_SHARE else TITLES)
        yuan = max(1, round(usual * dice.lognormvariate(0, 0.4) / YUAN))
        fen = yuan * YUAN - 10 if dice.random() < 0.7 else yuan * YUAN  # 68.90 looks cheaper than 69.00
        offered.append(
            Goods(
                product=f"3{dice.randrange(10**18):018d}",
                title=title.format(city=part.city, product=part.product),
                price_minor=fen if currency == "CNY" else max(1, fen // FEN_PER_CENT),
                currency=currency,
            )
        )
    return tuple(offered)


def currency_of(part: Part) -> str:
    """USD for some shops at Stripe, CNY for all others; a shop has one currency."""
    if part.sells_on != "stripe":
        return "CNY"
    dice = random.Random(f"currency {part.shop}")  # noqa: S311 (a play, no secret)
    return "USD" if dice.random() < DOLLAR_SHARE else "CNY"
