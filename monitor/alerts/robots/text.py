"""A notice as rows of text: a short one about one episode is a sentence, others have a row for each line."""

from collections.abc import Callable

from monitor.alerts.notice import Language, Link, Notice

BETWEEN = {"zh": ";", "en": "; "}
BETWEEN_LINKS = " · "
SENTENCE_LINES_MAX = 3
# What begins a link, an emphasis, a mention or a tag in some chat. Names come from outside: they may not speak markup.
LOUD = str.maketrans("[]<>*`", "［］＜＞＊｀")


def rows(notice: Notice, language: Language, say: Callable[[str], str], link: Callable[[Link], str]) -> list[str]:
    """`say` makes text harmless where it goes; `link` writes a link there."""
    said = [say(row) for row in (notice.title, *notice.lines)]
    links = BETWEEN_LINKS.join(map(link, notice.links))
    parts = [*said, links] if links else said
    return [BETWEEN[language].join(parts)] if is_sentence(notice) else parts


def is_sentence(notice: Notice) -> bool:
    return notice.episode is not None and len(notice.lines) <= SENTENCE_LINES_MAX


def one_line(text: str) -> str:
    """Without anything that would begin another row."""
    return " ".join(text.split())


def quiet(text: str) -> str:
    """Where markdown is read: signs that mean something there become wide ones, which mean nothing."""
    return one_line(text).translate(LOUD)


def markdown_link(link: Link) -> str:
    """The URL keeps no sign that would end it."""
    url = link.url.replace(" ", "%20").replace("(", "%28").replace(")", "%29")
    return f"[{quiet(link.text)}]({url})"


def plain_link(link: Link) -> str:
    """Where links are written out."""
    return f"{one_line(link.text)} {link.url}"


def with_keyword(parts: list[str], keyword: str) -> list[str]:
    """Some robots take only what holds their word."""
    return parts if not keyword or any(keyword in part for part in parts) else [*parts, keyword]
