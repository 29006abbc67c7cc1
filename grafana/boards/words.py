"""In which language a board speaks. Every word that is shown is written as a pair, so none can be forgotten."""

import re
from collections.abc import Callable
from typing import Literal

type Language = Literal["zh", "en"]
type Say = Callable[[str, str], str]

LANGUAGES: tuple[Language, ...] = ("zh", "en")
PAIR = re.compile(r"«([^«»|]*)\|([^«»|]*)»")


def speaking(language: Language) -> Say:
    """Of each pair (Chinese, English) the one of this language."""
    return (lambda zh, en: zh) if language == "zh" else (lambda zh, en: en)


def in_words(text: str, say: Say) -> str:
    """Text that holds pairs itself, as files of SQL do: «断流|dropped»."""
    return PAIR.sub(lambda pair: say(pair[1], pair[2]), text)
