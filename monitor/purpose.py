"""What a monitor is for: an event, or the rehearsal of one, which says so wherever a person looks."""

from typing import Literal

Purpose = Literal["event", "rehearsal"]

EVENT: Purpose = "event"  # what a spool is for that does not say: those of earlier releases
MARK = "【演练】"
BOARD_SUFFIX: dict[Purpose, str] = {"event": "", "rehearsal": "-rehearsal"}  # of the uids of Grafana's boards


def marked(text: str, purpose: Purpose) -> str:
    """`text` as people see it: in a rehearsal it begins with the mark, once."""
    return text if purpose == "event" or text.startswith(MARK) else MARK + text


def born_for(born: str, asked: Purpose) -> str:
    """In words: whose something is, when it is not for what was asked."""
    of = {"event": "an event", "rehearsal": "a rehearsal"}
    return f"was born for {of.get(born, born)}, which never changes, and the config is for {of[asked]}"
