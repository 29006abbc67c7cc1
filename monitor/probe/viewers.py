"""A player of ours is no viewer: what an answer that does not name its viewers counts without him. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

COMES_IN = timedelta(seconds=1.5)  # from his start to being counted, at the most


class Look(NamedTuple):
    """Our player at one room: since when, until when (None: he is there), and how long the server keeps him after."""

    began_at: datetime
    ended_at: datetime | None
    kept: timedelta


def is_over(look: Look, now: datetime) -> bool:
    """Nothing that is asked from now on can count him."""
    return look.ended_at is not None and now > look.ended_at + look.kept


def others(viewers: int, asked_at: datetime, answered_at: datetime, looks: Iterable[Look]) -> int | None:
    """So many others watch, by an answer of somewhere between these instants; None: some of ours may be among them.

    A room may be looked at again while the server still counts the player of the last time.
    """
    told: int | None = viewers
    for look in looks:
        told = None if told is None else without(told, asked_at, answered_at, look)
    return told


def without(viewers: int, asked_at: datetime, answered_at: datetime, look: Look) -> int | None:
    if answered_at < look.began_at or is_over(look, asked_at):
        return viewers
    if asked_at < look.began_at + COMES_IN or (look.ended_at is not None and answered_at > look.ended_at):
        return None
    return max(0, viewers - 1)
