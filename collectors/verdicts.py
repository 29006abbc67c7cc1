"""Reads answers of open APIs as far as a verdict needs it: their codes, whatever else may be wrong with them."""

import re

import msgspec

from .collector import BadFrame
from .json_body import json_body
from .open_api import Answer, Judged

CODE = re.compile(r"[\w.:-]{1,80}", re.ASCII)


def codes[T: msgspec.Struct](answer: Answer, form: type[T]) -> T | None:
    """The fields of the answer that say what became of the call; None: it is no answer of the platform at all."""
    try:
        return json_body(answer.body, form)
    except BadFrame:
        return None


def code_text(*told: object) -> str:
    """The platform's codes, for people; what is no code (a sentence could name a person) is left out."""
    return " ".join(text for one in told if one not in (None, "") and CODE.fullmatch(text := str(one)))


def by_status(answer: Answer) -> Judged:
    """What the status alone says, where the body does not speak: too many requests, or something is broken."""
    return Judged("rate" if answer.status == 429 else "broken", f"HTTP {answer.status}")
