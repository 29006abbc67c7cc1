"""A played YouTube: how fifty videos stand, for whoever has the key, until the units of the day are spent.

Its rules are the catalogue's (global.md 2.4): one unit a call; anew at midnight in California; a number of viewers is a
text, and missing while nobody watches or the owner hides it; what never was a broadcast has no details. Answers are
laid out as Google's are. UNVERIFIED: whether a call that is refused costs units; here it does not.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..scene import Trouble
from .api_server import ApiServer, Asked, Told
from .token_office import CallBook, PlayedOrder, TokenOffice, TokenRules

BATCH_MAX = 50
UNITS = 10_000
PACIFIC = ZoneInfo("America/Los_Angeles")
PARTS = {"id", "snippet", "liveStreamingDetails", "statistics", "status", "contentDetails"}
LINK = '<a href="/youtube/v3/getting-started#quota">quota</a>'
QUOTA = f"The request cannot be completed because you have exceeded your {LINK}."


@dataclass
class PlayedVideo:
    """A broadcast, before, while and after it is on air. `viewers` None: nobody watches, or the number is hidden."""

    id: str
    scheduled_at: datetime | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    viewers: int | None = None

    def details(self) -> dict[str, str]:
        told = {
            "actualStartTime": self.began_at, "actualEndTime": self.ended_at, "scheduledStartTime": self.scheduled_at,
        }  # fmt: skip
        found = {name: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for name, at in told.items() if at is not None}
        if self.began_at is not None and self.ended_at is None:
            if self.viewers:
                found["concurrentViewers"] = str(self.viewers)
            found["activeLiveChatId"] = f"Cg0KC{self.id}"
        return found


@dataclass
class FakeYoutube:
    """One project, and all videos by their ids. `secret` is its key; `app_key` is none of YouTube's. `left_out` are not
    listed, though they are there; `garbled` are listed without a sense. `look` is told which
    are asked for, before `videos` is; `told` hears of each answer: which were asked for, and which were listed."""

    app_key: str
    secret: bytes
    now: Callable[[], datetime]
    book: CallBook = field(default_factory=CallBook)
    trouble: Trouble = field(default_factory=Trouble)
    units: int = UNITS
    look: Callable[[Sequence[str]], None] = lambda ids: None
    told: Callable[[Sequence[str], Sequence[PlayedVideo]], None] = lambda ids, videos: None

    def __post_init__(self) -> None:
        self.office = TokenOffice(TokenRules(access_s=3600, refresh_s=None))  # nobody is let in
        self.orders: dict[str, PlayedOrder] = {}
        self.videos: dict[str, PlayedVideo] = {}
        self.left_out: set[str] = set()
        self.garbled: set[str] = set()
        self.spent: dict[str, int] = {}  # by the day in California
        self.asked: list[tuple[datetime, list[str]]] = []
        self.server = ApiServer(self.answer, self.trouble)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.server.close()

    def forget(self) -> None:
        """Which questions were asked: only a test wants to know."""
        self.asked.clear()

    def answer(self, asked: Asked) -> Told:
        if asked.path != "/videos":
            return self._fault(404, "notFound", "Not Found")
        if asked.query.get("key", "").encode() != self.secret:
            return self._fault(400, "badRequest", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID")
        if self.book.take(asked.path, self.now()) != "ok":
            return self._fault(403, "rateLimitExceeded", "Rate Limit Exceeded", domain="usageLimits")
        day = f"{self.now().astimezone(PACIFIC):%Y-%m-%d}"
        if self.spent.get(day, 0) >= self.units:
            return self._fault(403, "quotaExceeded", QUOTA, domain="youtube.quota")
        self.spent[day] = self.spent.get(day, 0) + 1
        ids, parts = asked.query.get("id", "").split(","), set(asked.query.get("part", "").split(","))
        if not parts <= PARTS:
            return self._fault(400, "unknownPart", "The request's <code>part</code> parameter is wrong.")
        if len(ids) > BATCH_MAX:
            return self._fault(400, "invalidFilters", "The request specifies an invalid filter parameter.")
        self.asked.append((self.now(), ids))
        self.look(ids)
        videos = [self.videos[it] for it in dict.fromkeys(ids) if it in self.videos and it not in self.left_out]
        self.told(ids, videos)
        return self._told({
            "kind": "youtube#videoListResponse",
            "etag": "cVfuEL3vX_wqy4fTBrpK1Fi5SYc",
            "items": [self._listed(video) for video in videos],
            "pageInfo": {"totalResults": len(videos), "resultsPerPage": len(videos)},
        })  # fmt: skip

    def _listed(self, video: PlayedVideo) -> dict[str, Any]:
        shown: dict[str, Any] = {"kind": "youtube#video", "etag": "q6l4BWoMKqJfPbCWqv2vn1oGSTI", "id": video.id}
        details = video.details()
        if video.id in self.garbled:
            details["concurrentViewers"] = "viele"
        return shown | ({"liveStreamingDetails": details} if details else {})

    def _fault(self, status: int, reason: str, message: str, detail: str = "", domain: str = "global") -> Told:
        error: dict[str, Any] = {
            "code": status, "message": message,
            "errors": [{"message": message, "domain": domain, "reason": reason}],
        }  # fmt: skip
        if detail:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            error |= {
                "status": "INVALID_ARGUMENT",
                "details": [{"@type": kind, "reason": detail, "domain": "googleapis.com"}],
            }
        return self._told({"error": error}, status)

    def _told(self, document: object, status: int = 200) -> Told:
        """Google writes JSON with two spaces."""
        body = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
        return Told(body, status, {"Date": format_datetime(self.now().astimezone(UTC), usegmt=True)})
