"""The two pages of an authorisation: the one that our link opens, which leads on to the platform, and the one that the
platform sends people back to.

It is read by the owner of a shop, on a phone, once. Nothing of the request is ever shown, and no code is logged.
"""

from html import escape
from typing import Literal

from aiohttp import web

from collectors.query import query_params
from monitor.accounts.door import Door, Lead, NotLinked, Why

from .oauth_words import LEAD, LEAD_BUTTON, LEAD_WHAT, TITLES, WHAT

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
            return _lead(await door.begin(app, params["link"]))
        linked = await door.finish(app, params)
    except NotLinked as turned:
        return _page(False, turned.why, turned.detail, STATUS_OF.get(turned.why, 400))
    return _page(True, "linked", " · ".join(filter(None, (linked.platform, linked.name, linked.shop))), 200)


def _lead(on: Lead) -> web.Response:
    """A page with one button, not a redirect: WeChat lets in only who comes by a click on a page of the domain that is
    registered, of which the browser tells it the name (`Referrer-Policy: origin`). And people see what they agree to.
    """
    what = " · ".join(filter(None, (on.platform, on.name, on.shop)))
    return _html(
        f"""<h1>{LEAD[0]}</h1><p><strong>{escape(what)}</strong></p><p>{LEAD_WHAT[0]}</p>
<p><a class="button" href="{escape(on.url)}" rel="noopener">{LEAD_BUTTON[0]} / {LEAD_BUTTON[1]}</a></p>
<p class="en" lang="en">{LEAD[1]}. {LEAD_WHAT[1]}</p>""",
        200,
        HEADERS | {"Referrer-Policy": "origin"},
    )


def _page(good: bool, word: Why | Literal["linked"], detail: str, status: int) -> web.Response:
    return _html(
        f"""<h1 class="{"good" if good else "bad"}">{TITLES[good][0]}</h1><p>{WHAT[word][0]}</p>
{f"<p><strong>{escape(detail)}</strong></p>" if detail else ""}
<p class="en" lang="en">{TITLES[good][1]}. {WHAT[word][1]}</p>""",
        status,
        HEADERS,
    )


def _html(body: str, status: int, headers: dict[str, str]) -> web.Response:
    text = f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>livemon</title><style>
body{{font:18px/1.6 system-ui,sans-serif;margin:0;padding:12vh 8vw;color:#1b1b1b;background:#fff}}
h1{{font-size:1.5em;margin:0 0 .4em}}p{{margin:.6em 0}}.en{{color:#666;font-size:.8em}}
.good{{color:#1a7f37}}.bad{{color:#b3261e}}
.button{{display:inline-block;padding:.5em 1.4em;border-radius:.4em;background:#1a56b0;color:#fff;text-decoration:none}}
@media(prefers-color-scheme:dark){{body{{background:#161616;color:#eee}}.en{{color:#aaa}}}}
</style></head><body>{body}</body></html>
"""
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
