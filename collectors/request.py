"""Asks a hosted platform once and reads the answer, up to a limit; whatever is not a plain 200 is an error."""

from collections.abc import Mapping

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from .collector import BadFrame, FeedRefused

UNAUTHORIZED = 401
RETRY_AFTER_S_MAX = 600.0
NO_HEADERS = CIMultiDictProxy(CIMultiDict[str]())


async def body_of(
    http: aiohttp.ClientSession, url: str, shown: str, headers: Mapping[str, str], body: bytes | None,
    bytes_max: int, timeout_s: float, login: bool = True,
) -> bytes:  # fmt: skip
    """The body of the answer to a GET, or with a `body` to a POST of JSON, on a connection that is kept.

    Errors name the URL as `shown`: the true one may hold secrets. A redirect is an error, since what is secret must
    not follow it. Raises FeedRefused for 401: the secrets are not taken, and will not be when asked again. Where no
    `login` is known at all it is an error like others.
    """
    method, told = ("GET", headers) if body is None else ("POST", {"Content-Type": "application/json", **headers})
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    asking = http.request(
        method, URL(url, encoded=True), headers=told, data=body, timeout=timeout, allow_redirects=False
    )
    async with asking as reply:
        if reply.status == UNAUTHORIZED and login:
            raise FeedRefused(f"{shown} answered 401: it does not take the secrets, or wants some")
        if reply.status != 200:
            info = aiohttp.RequestInfo(URL(shown, encoded=True), method, NO_HEADERS)
            said = f"answered {reply.status}"
            raise aiohttp.ClientResponseError(info, (), status=reply.status, message=said, headers=reply.headers)
        told_so_far = bytearray()
        async for chunk in reply.content.iter_any():
            told_so_far += chunk
            if len(told_so_far) > bytes_max:
                raise BadFrame(f"too_large: the answer is over {bytes_max} bytes")
        return bytes(told_so_far)


def asked_wait_s(error: Exception) -> float:
    """For how long an answer asked us to stay away; 0 where it did not say."""
    if isinstance(error, aiohttp.ClientResponseError) and error.headers is not None:
        return told_s(error.headers.get("Retry-After", ""))
    return 0.0


def told_s(text: str) -> float:
    """The seconds of a Retry-After header, at most so many as we ever stay away; 0 for what says none (dates are not
    worth reading here)."""
    return min(float(text), RETRY_AFTER_S_MAX) if text.isascii() and text.isdigit() and len(text) < 10 else 0.0
