"""A feed that asks the HTTP interface of one own server how all of its streams stand."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from .collector import Emit, FeedRefused, Now, every
from .placeholders import read_secrets
from .probed_row import ProbedRow
from .request import body_of


class ServerRow(ProbedRow, frozen=True, kw_only=True):
    """`url` is the server's address; the paths behind it are the kind's. An answer has at most `body_bytes_max`."""

    url: str
    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=300)] = 5.0
    body_bytes_max: Annotated[int, msgspec.Meta(ge=4096, le=64 * 1024 * 1024)] = 16 * 1024 * 1024

    RETRY_S_MAX = 10.0
    PATHS: ClassVar[tuple[str, ...]] = ()  # pages of it: whoever has opened one may have copied its address

    def complaints(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Settings that cannot be meant."""
        yield from ProbedRow.complaints(self)
        parts = urlsplit(self.url)
        if parts.query or parts.path.rstrip("/").endswith(self.PATHS):
            yield ("url",), "url names a page of the server", "give its address alone, as http://10.0.0.7:8000"

    @property
    def answer_s_max(self) -> float:
        return max(self.interval_s, 2.0)

    async def get(
        self, http: aiohttp.ClientSession, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> bytes:
        """The answer to a GET, or with a `body` to a POST of JSON. Raises what `body_of` raises."""
        url = self.url.rstrip("/") + path
        return await body_of(http, url, url, headers, body, self.body_bytes_max, self.answer_s_max)


async def poll(row: ServerRow, ask: Callable[[], Awaitable[bytes]], emit: Emit, now: Now) -> None:
    """Each answer is a frame, as of the instant before its request left."""
    async for _ in every(row.interval_s, row.name):
        asked_at = now()
        await emit(await ask(), asked_at)


def basic(user: str, password_file: Path | None) -> dict[str, str]:
    """The header of RFC 7617 with what the file holds now, or none without a file. Raises FeedRefused."""
    if password_file is None:
        return {}
    if ":" in user:  # whatever stands before the first colon is the user
        raise FeedRefused("user holds a colon, which no server could tell from the one before the password")
    password = read_secrets({"password_file": password_file})["password_file"]
    return {"Authorization": aiohttp.encode_basic_auth(user, password, "utf-8")}
