"""YouTube's Data API: broadcasts are asked about with the app's key alone.

Sources: global.md 2.4; for the words of refusals, error pages that people quote. Everything here is public, so nobody
lets us in: there are no accounts, no tokens, no shops. The secret of the app is the key of a project, whose quota is
counted in units a day: one a call, 10,000 where nobody asked for more, anew at midnight in California. What is left of
it is told nowhere.
"""

from datetime import datetime
from typing import ClassVar

from ..collector import BadFrame
from ..open_api import NO_ACCOUNTS, Answer, Call, Caller, Grant, Judged, Tokens
from ..rooms_alone import RoomsAlone
from .youtube_calls import judged


class YoutubeApi(RoomsAlone):
    PLATFORM: ClassVar[str] = "youtube"
    BASE: ClassVar[str] = "https://www.googleapis.com/youtube/v3"
    AUTH_BASE: ClassVar[str] = BASE
    CALLS_PER_S: ClassVar[float] = 5.0  # UNVERIFIED; the quota of a day allows far less

    # --- authorisation: none ---

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        raise BadFrame(f"{NO_ACCOUNTS}: nobody need let us in")

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        raise LookupError("youtube has no accounts")

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        raise BadFrame(f"{NO_ACCOUNTS}: nobody need let us in")

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        return judged(answer)
