"""Asks a URL once and reads the answer, up to a limit; whatever is not a plain 200 is an error."""

import aiohttp

from .collector import BadFrame


async def answer(http: aiohttp.ClientSession, url: str, body_bytes_max: int, timeout_s: float) -> bytes:
    """The body of one GET on a connection of its own.

    A kept connection would always reach the same worker process of a server and hide that there are others.
    A redirect is an error, too: a stat page that moved to a login page tells nothing of rooms.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    headers = {"Connection": "close"}
    async with http.get(url, headers=headers, timeout=timeout, allow_redirects=False) as reply:
        if reply.status != 200:
            raise aiohttp.ClientResponseError(
                reply.request_info, reply.history, status=reply.status, message=f"answered {reply.status}"
            )
        body = bytearray()
        async for chunk in reply.content.iter_any():
            body += chunk
            if len(body) > body_bytes_max:
                raise BadFrame(f"too_large: the answer is over {body_bytes_max} bytes")
        return bytes(body)
