"""Whose question is next: shops of an app in turn, the newest of each first; and when one is asked again. Pure."""

import heapq
from collections import OrderedDict
from datetime import timedelta
from typing import Protocol

AGAIN = tuple(timedelta(seconds=s) for s in (1, 5, 30, 120, 600))
AGAIN_AT_LAST = timedelta(minutes=30)


def again_after(times: int) -> timedelta:
    """How long after it was asked so often (1: once) a question is asked again."""
    return AGAIN[times - 1] if times <= len(AGAIN) else AGAIN_AT_LAST


class Question(Protocol):
    @property
    def app(self) -> str: ...
    @property
    def shop(self) -> str: ...
    @property
    def newest(self) -> int: ...


class Fairness[Q: Question]:
    """Questions that may be asked now. `at_once` of each app are out at a time, one of each shop."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._shops: dict[str, OrderedDict[str, list[tuple[int, int, Q]]]] = {}
        self._out: dict[str, set[str]] = {}
        self._added = 0

    def add(self, question: Q) -> None:
        shops = self._shops.setdefault(question.app, OrderedDict())
        self._added += 1
        heapq.heappush(shops.setdefault(question.shop, []), (-question.newest, self._added, question))

    def take(self) -> Q | None:
        """The next of some app that has a place free."""
        for app, shops in self._shops.items():
            out = self._out.setdefault(app, set())
            if len(out) >= self._at_once:
                continue
            for shop in shops:
                if shop in out:
                    continue
                question = heapq.heappop(shops[shop])[2]
                shops.move_to_end(shop)
                if not shops[shop]:
                    del shops[shop]
                out.add(shop)
                return question
        return None

    def answered(self, question: Q) -> None:
        """Its place is free again."""
        self._out[question.app].discard(question.shop)
