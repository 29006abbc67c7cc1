"""Where the playlist of one room is, and what is known of it, from look to look. A master playlist sends us there."""

from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from .playlist import Known, elsewhere

MASTER_S = 10.0  # a master is not asked more often: where each who asks for it is a viewer, we are few


class FollowedList(msgspec.Struct):
    """`address` is the variant that the master named when it was asked last; "": none."""

    known: Known = Known()
    address: str = ""
    asked_at: datetime | None = None
    moves: bool = False  # the last look at it was answered with a list that does not stand still

    def is_due(self, at: datetime) -> bool:
        """May its master be asked? A clock that was set back makes nobody wait."""
        return self.asked_at is None or not 0 <= (at - self.asked_at).total_seconds() < MASTER_S

    def sent_to(self, address: str, at: datetime) -> None:
        if self.address and urlsplit(address).path != urlsplit(self.address).path:  # not with a new key alone
            self.known = elsewhere(self.known)
        self.address, self.asked_at = address, at

    def learn(self, known: Known) -> None:
        self.known = known
        self.moves = known.playlist is not None and not known.playlist.ended and not known.still
