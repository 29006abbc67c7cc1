"""The two pages of an authorisation: our link, which leads to the platform, and what comes back from there.

It is read by the owner of a shop, on a phone, once. Nothing of the request is ever shown, and no code is logged.
"""

from html import escape
from typing import Literal

from aiohttp import web

from collectors.query import query_params
from monitor.accounts.door import Door, NotLinked, Why

from .oauth_words import TITLES, WHAT

QUERY_CHARS_MAX = 4_096
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds a code
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
STATUS_OF: dict[Why, int] = {"unknown_app": 404, "busy": 503, "platform": 502}


async def answer(door: Door, app: str, query: str) -> web.Response:
    """One opening of a link, or one return from the platform."""
    params = query_params(query) if len(query) <= QUERY_CHARS_MAX else None
    try:
        if params is None:
            raise NotLinked("bad_link")
        if "link" in params:
            return web.Response(status=302, headers=HEADERS | {"Location": await door.begin(app, params["link"])})
        linked = await door.finish(app, params)
    except NotLinked as turned:
        return _page(False, turned.why, turned.detail, STATUS_OF.get(turned.why, 400))
    return _page(True, "linked", " · ".join(filter(None, (linked.platform, linked.name, linked.shop))), 200)


def _page(good: bool, word: Why | Literal["linked"], detail: str, status: int) -> web.Response:
    colour = "#1a7f37" if good else "#b3261e"
    text = f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>livemon</title><style>
body{{font:18px/1.6 system-ui,sans-serif;margin:0;padding:12vh 8vw;color:#1b1b1b;background:#fff}}
h1{{font-size:1.5em;color:{colour};margin:0 0 .4em}}p{{margin:.3em 0}}.en{{color:#666;font-size:.8em}}
@media(prefers-color-scheme:dark){{body{{background:#161616;color:#eee}}.en{{color:#aaa}}}}
</style></head><body><h1>{TITLES[good][0]}</h1><p>{WHAT[word][0]}</p>
{f"<p><strong>{escape(detail)}</strong></p>" if detail else ""}
<p class="en" lang="en">{TITLES[good][1]}. {WHAT[word][1]}</p></body></html>
"""
    return web.Response(status=status, text=text, content_type="text/html", headers=HEADERS)
