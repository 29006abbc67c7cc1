"""The shops of a played platform: the tokens that they gave our app, and what is told of their sales, for the truth."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..event.order import Happened
from ..scene import Scene
from ..truth import Fact
from .token_office import PlayedOrder, TokenOffice

CALLS_PER_S = 200.0  # of each app: a rehearsal has no quota


class PlayedShops:
    """All shops of a play that sell on `platform`; their app has this very name in livemon's settings."""

    def __init__(self, scene: Scene, platform: str, office: TokenOffice) -> None:
        self.scene, self.platform, self.office = scene, platform, office
        self.names = sorted({part.shop for part in scene.play.parts if part.sells_on == platform})
        self.accounts: Sequence[Mapping[str, str]] = ()

    def let_in(self) -> None:
        """Every owner lets our app in: first pairs, with the lives that the platform gives them."""
        now = self.scene.now()
        self.accounts = [self._account(name, now) for name in self.names]

    def _account(self, shop: str, now: datetime) -> dict[str, str]:
        pair = self.office.issue(shop, now)
        return {
            "platform": self.platform, "shop": shop, "app": self.platform, "name": f"店铺{shop}",
            "access_token": pair.access, "refresh_token": pair.refresh, "access_until": unix(pair.access_until),
            "refresh_until": "" if pair.refresh_until is None else unix(pair.refresh_until),
        }  # fmt: skip

    def paid(self, event: Happened, played: PlayedOrder, at: datetime) -> None:
        """To the truth; `at` as it stands on the wire."""
        order = event.order
        self._sold(Fact(self.platform, played.shop, played.order_id, "paid", order.amount_minor, order.currency, at))

    def refunded(self, event: Happened, played: PlayedOrder, at: datetime) -> None:
        [refund] = played.refunds
        name, currency = refund.refund_id, event.order.currency
        fact = Fact(
            self.platform, played.shop, played.order_id, "refunded", refund.amount_minor, currency, at, ref=name
        )
        self._sold(fact)

    def _sold(self, fact: Fact) -> None:
        self.scene.truth.sold(fact, self.scene.now())


def unix(at: datetime) -> str:
    """Whole seconds."""
    return str(int(at.timestamp()))


def stanzas(platform: str, kind: str, key: str, api_url: str, feed: str, app: str = "") -> str:
    """`[[app]]` and `[[feed]]` of a platform, both by its name; `feed` and `app` are further lines of theirs."""
    return f"""\
[[app]]
name = "{platform}"
platform = "{platform}"
key = "{key}"
secret_file = "secrets/{platform}"
api_url = "{api_url}"
calls_per_s = {CALLS_PER_S}
{app}
[[feed]]
kind = "{kind}"
name = "{platform}"
app = "{platform}"
{feed}"""
