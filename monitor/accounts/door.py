"""What linking an account comes to, as the page that tells it needs to know. Shapes alone."""

from collections.abc import Awaitable, Mapping
from typing import Literal, Protocol

import msgspec

Why = Literal["unknown_app", "bad_link", "expired_link", "used_link", "declined", "other_shop", "platform", "busy"]
"""Why nothing was linked; each has its words."""


class NotLinked(Exception):
    """`detail` is the platform's own code, or the shop that came instead: who opened the link may read it."""

    def __init__(self, why: Why, detail: str = "") -> None:
        self.why, self.detail = why, detail
        super().__init__(why)


class Linked(msgspec.Struct, frozen=True):
    platform: str
    shop: str
    name: str = ""


class Lead(msgspec.Struct, frozen=True):
    """Where the owner of this shop goes on: the platform's page at `url`."""

    url: str
    platform: str
    shop: str
    name: str = ""


class Door(Protocol):
    """Where the owners of shops come in."""

    def begin(self, app: str, text: str) -> Awaitable[Lead]:
        """The platform's page for this link. Raises NotLinked."""

    def finish(self, app: str, params: Mapping[str, str]) -> Awaitable[Linked]:
        """The platform called back: the tokens are on disk when it returns. Raises NotLinked."""
