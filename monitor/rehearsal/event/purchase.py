"""How one order goes: what is bought, for how much, whether and when it is paid, cancelled or given back."""

import random
from collections.abc import Sequence

from .cast import Part
from .goods import Goods
from .order import Happening, Order

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

UNITS, UNITS_SHARES = (1, 2, 3), (80, 95, 100)  # the shares are cumulated
COUPON_SPREAD = 0.08  # how far coupons and the like spread what is paid around the price
PAID_SHARE = 0.88
PAID_AFTER_S, PAID_SPREAD = 25.0, 1.2  # median, and sigma of the logarithm
UNPAID_S_MAX = 30 * MINUTE  # then the platform cancels
BY_HAND_SHARE = 0.25  # of those that are not paid: the buyer cancels sooner
REFUNDED_SHARE = 0.06  # of those that are paid
QUICK_SHARE = 0.4  # of refunds: the buyer regretted it at once, not when the parcel came
QUICK_S, QUICK_SPREAD = 4 * MINUTE, 0.8
SLOW_S, SLOW_SPREAD = 10 * HOUR, 1.2
REFUNDED_AFTER_S_MIN, REFUNDED_AFTER_S_MAX = 30.0, 5 * DAY
WHOLE_SHARE = 0.7  # of refunds: all of the amount


def purchase(
    dice: random.Random, part: Part, offered: Sequence[Goods], number: int, buyer: str, created_s: float
) -> Order:
    """One order of this room, made at `created_s`; what comes of it is decided here as well."""
    bought = offered[int(len(offered) * dice.random() ** 2)]  # the first ones sell best
    [units] = dice.choices(UNITS, cum_weights=UNITS_SHARES)
    amount_minor = max(1, round(bought.price_minor * units * dice.lognormvariate(0, COUPON_SPREAD)))
    paid_s = cancelled_s = refunded_s = None
    refund_minor = 0
    if dice.random() < PAID_SHARE:
        paid_s = created_s + min(PAID_AFTER_S * dice.lognormvariate(0, PAID_SPREAD), UNPAID_S_MAX)
        if dice.random() < REFUNDED_SHARE:
            refunded_s = paid_s + refunded_after_s(dice)
            refund_minor = amount_minor if dice.random() < WHOLE_SHARE else dice.randint(1, amount_minor)
    elif dice.random() < BY_HAND_SHARE:
        cancelled_s = created_s + dice.uniform(20.0, UNPAID_S_MAX)
    else:
        cancelled_s = created_s + UNPAID_S_MAX
    return Order(
        number=number, part=part, product=bought.product, title=bought.title, units=units,
        amount_minor=amount_minor, currency=bought.currency, buyer=buyer, created_s=created_s, paid_s=paid_s,
        cancelled_s=cancelled_s, refunded_s=refunded_s, refund_minor=refund_minor,
    )  # fmt: skip


def refunded_after_s(dice: random.Random) -> float:
    """Minutes to days after the payment."""
    if dice.random() < QUICK_SHARE:
        after_s = QUICK_S * dice.lognormvariate(0, QUICK_SPREAD)
    else:
        after_s = SLOW_S * dice.lognormvariate(0, SLOW_SPREAD)
    return min(max(after_s, REFUNDED_AFTER_S_MIN), REFUNDED_AFTER_S_MAX)


def instant(order: Order, what: Happening) -> float | None:
    """When this happens to the order, in seconds of the play; None if it does not."""
    match what:
        case "created":
            return order.created_s
        case "paid":
            return order.paid_s
        case "cancelled":
            return order.cancelled_s
        case "refunded":
            return order.refunded_s
