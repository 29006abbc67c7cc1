"""The page: every part of a report under its heading, in one HTML file that asks nothing of anybody."""

import base64
import hashlib
from importlib import resources

from .content import Content
from .curves import curves
from .drop_times import drop_times
from .figures import blind_spans, definitions, key_figures, leaderboards, platforms, three_figures
from .heat import heat
from .markup import Markup, joined, safe, tag
from .plots import HATCH
from .spoken import Speech
from .words import Language

STYLE = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_DIGEST}'; base-uri 'none'; form-action 'none'"

PARTS = (
    ("key", key_figures),
    ("cut", three_figures),
    ("curves", curves),
    ("heat", heat),
    ("platforms", platforms),
    ("lists", leaderboards),
    ("drop_times", drop_times),
    ("blind_spans", blind_spans),
)


def page(content: Content, language: Language) -> str:
    """The file's whole text."""
    speech = Speech(language, content.currency, content.zone)
    sections = [_section(speech, key, part(content, speech)) for key, part in PARTS]
    sections.append(_section(speech, "definitions", definitions(speech)))
    title = f"{content.event or 'livemon'} · {_title(content, speech)} · {_days(content)}"
    return f"""<!doctype html>
<html lang="{"zh-CN" if language == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{safe(title)}</title>
<style>{STYLE}</style>
</head>
<body>
{HATCH}
{_head(content, speech)}
<main>
{joined(sections, chr(10))}
</main>
<footer>livemon {safe(content.version)} · {safe(speech.instant(content.period.as_of))}</footer>
</body>
</html>
"""


def _head(content: Content, speech: Speech) -> Markup:
    period, word = content.period, speech.word
    told = (
        ("days", _days(content)),
        ("counted", f"{speech.instant(period.from_at)} – {speech.instant(period.to_at)}"),
        ("as_of", speech.instant(period.as_of)),
        ("zone", content.zone_name),
        ("currency", content.currency),
    )
    pairs = [tag("div", tag("dt", word(key)), tag("dd", value)) for key, value in told]
    notes = []
    if period.to_at <= period.from_at:
        notes.append(tag("p", word("outside"), class_="notice"))
    elif not period.over:
        notes.append(tag("p", word("not_over"), class_="notice"))
    heading = tag("h1", content.event or "livemon", " ", tag("span", _title(content, speech)))
    return tag("header", heading, tag("dl", *pairs), *notes)


def _section(speech: Speech, key: str, inside: Markup) -> Markup:
    return tag("section", tag("h2", speech.word(key)), inside, id=key.replace("_", "-"))


def _title(content: Content, speech: Speech) -> str:
    return speech.word("title_day" if content.period.first == content.period.last else "title_days")


def _days(content: Content) -> str:
    first, last = content.period.first, content.period.last
    return f"{first}" if first == last else f"{first} – {last}"
