"""`/runbooks/{alert}`: what an alert means and what to do, from the Markdown that ships with livemon.

All pages are read at the start: what a request asks for is looked up among their names, and never on the disk.
"""

import re
from html import escape
from pathlib import Path, PurePosixPath

from aiohttp import web
from markdown_it import MarkdownIt

from monitor.alerts.alert import Alert
from monitor.alerts.page_html import HEADERS, page

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
SHARED = {
    **dict.fromkeys(("LivemonFeedRefused", "LivemonFeedFrozen", "LivemonFeedStale"), "LivemonFeedBlind"),
    **dict.fromkeys(("LivemonSpoolGrowing", "LivemonSpoolFull"), "LivemonSpool"),
}
"""Alerts whose runbook has another name: what to do is the same."""

ALL = "处置手册 · Runbooks"
UNKNOWN = "没有这一页 · There is no such runbook"
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")  # tags are shown, not obeyed


class Runbooks:
    """`folder` holds a page each, named after its alert; each begins with its title. Raises OSError."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/runbooks", self.list), web.get("/runbooks/{alert}", self.show)]

    def page_of(self, alert: Alert) -> str | None:
        """The name of its page: what its rule says, else what the alert is called; None if nothing is written of it."""
        said = PurePosixPath(alert.annotations.get("runbook", "")).stem
        return self._named(said) or self._named(alert.name)

    async def list(self, request: web.Request) -> web.Response:
        return _html(page(ALL, f"<h1>{ALL}</h1>{self._all('runbooks/')}", "zh"), 200)

    async def show(self, request: web.Request) -> web.Response:
        name = self._named(request.match_info["alert"])
        if name is None:
            return _html(page(UNKNOWN, f"<h1>{UNKNOWN}</h1>{self._all('')}", "zh"), 404)
        body = f'<div class="top"><a href="../runbooks">{ALL}</a></div>{MARKDOWN.render(self._texts[name])}'
        return _html(page(_title(self._texts[name]), body, "zh"), 200)

    def _named(self, alert: str) -> str | None:
        name = SHARED.get(alert, alert)
        return name if name in self._texts else None

    def _all(self, path: str) -> str:
        items = (
            f'<li><a href="{path}{escape(name)}">{escape(_title(text))}</a></li>' for name, text in self._texts.items()
        )
        return f"<ul>{''.join(items)}</ul>"


def _title(text: str) -> str:
    return re.sub(r"^#+\s*", "", text.partition("\n")[0])


def _html(text: str, status: int) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html", charset="utf-8", headers=HEADERS)
