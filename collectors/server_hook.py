"""A hook by which an own server asks for leave: its publisher goes on air whatever we think of the call.

The answer is a permission, no receipt: nobody sends such a call again, and the poll of the same server tells the truth
soon after. So it is not kept on disk. It waits in memory, bounded, for the sake of speed alone.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from .hook import Accepted, App, CalledRow, Delivery, Refused, Reply
from .query import query_params

ITS_POLL = "remove it: the server calls /hooks/NAME; what asks the same server is a [[feed]] of its own beside this one"


class ServerHookRow(CalledRow, kw_only=True, frozen=True):
    """A `[[feed]]` table of an own server that calls `POST /hooks/{name}?token=...`.

    The token is the secret of its [[app]]. Its `parse` reads the body alone: the query, which holds the token, goes no
    further than `verify`.
    """

    ALLOW: ClassVar[Reply]  # what lets a publisher on air: the answer to all that comes, true, broken or too much
    SIGNALS: ClassVar[tuple[str, ...]] = ("live",)
    ELSEWHERE: ClassVar[Mapping[str, str]] = {**CalledRow.ELSEWHERE, "url": ITS_POLL, "interval_s": ITS_POLL}
    BODY_BYTES_MAX: ClassVar[int] = 16_384

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        """These servers sign nothing: whoever knows the token of the address may call."""
        told = (query_params(delivery.query) or {}).get("token", "").encode("utf-8", "surrogateescape")
        if not told:
            return Refused("malformed")
        if not any([hmac.compare_digest(told, secret) for secret in app.secrets]):
            return Refused("bad_signature")
        return Accepted(self.ALLOW)

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return self.ALLOW
