"""What the boards of money share: names of platforms in SQL, and what GMV is."""

from monitor.platform_words import PLATFORMS

from .words import Say


def platform_name(say: Say, column: str) -> str:
    """SQL for the name that people use, for where a value mapping cannot reach: names of series and bars."""
    names = {key: say(told["zh"], told["en"]) for key, told in PLATFORMS.items()}
    known = " ".join(f"WHEN '{key}' THEN '{name}'" for key, name in names.items())
    return f"CASE {column} {known} ELSE {column} END"


def definition(say: Say) -> str:
    return say(
        "成交额：已支付的订单，按支付时间，活动期间内，未减退款；打赏、定金、未支付不计。",
        "GMV: orders paid, by pay time, inside the event, before refunds; no gifts, deposits, unpaid orders. ",
    )
