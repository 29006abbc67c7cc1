"""Which deliveries have been before, and with which body: the same one is kept once, another body is an attack."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal

Fate = Literal["accepted", "duplicate", "replayed"]

TTL_S = 86_400.0
SPANS = 24
"""Entries are forgotten a span at a time: so many make up the TTL, and so many the bound on entries."""


class Replays:
    """A million entries take 180 MB; when more come within a day the oldest go, and only `Sale.event_id`, which
    PostgreSQL knows for ever, keeps their redelivery from counting twice."""

    def __init__(self, entries_max: int = 1_000_000, ttl_s: float = TTL_S) -> None:
        self._span_entries_max = max(1, entries_max // SPANS)
        self._spans_max = max(1, entries_max // self._span_entries_max)
        self._span_s = ttl_s / SPANS
        self._ttl_s = ttl_s
        self._spans: deque[tuple[float, dict[bytes, bytes]]] = deque()
        self._under_way: dict[bytes, tuple[bytes, asyncio.Event]] = {}

    def __len__(self) -> int:
        return sum(len(entries) for _, entries in self._spans)

    async def once(
        self, feed: str, delivery_id: str, body: bytes, keep: Callable[[], Awaitable[object]], now: Callable[[], float]
    ) -> Fate:
        """Keep this delivery if it is the first of its id. Its copies, also those of the same instant, come back only
        when the first is on disk; where that failed each of them tries itself. `now` is monotonic."""
        key = hashlib.blake2b(f"{feed}\n{delivery_id}".encode(errors="surrogatepass"), digest_size=16).digest()
        digest = hashlib.sha256(body).digest()
        while True:
            known = self._known(key, now())
            if known is not None:
                return "duplicate" if known == digest else "replayed"
            if key not in self._under_way:
                break
            first, done = self._under_way[key]
            if first != digest:
                return "replayed"
            await done.wait()
        done = asyncio.Event()
        self._under_way[key] = digest, done
        try:
            await keep()
            self._remember(key, digest, now())
        finally:
            del self._under_way[key]
            done.set()
        return "accepted"

    def _known(self, key: bytes, now: float) -> bytes | None:
        while self._spans and now - self._spans[0][0] >= self._ttl_s + self._span_s:
            self._spans.popleft()  # its last entry is as old as the TTL
        return next((entries[key] for _, entries in self._spans if key in entries), None)

    def _remember(self, key: bytes, digest: bytes, now: float) -> None:
        newest = self._spans[-1] if self._spans else None
        if newest is None or now - newest[0] >= self._span_s or len(newest[1]) >= self._span_entries_max:
            while self._spans and len(self) > (self._spans_max - 1) * self._span_entries_max:
                self._spans.popleft()
            self._spans.append((now, {}))
        self._spans[-1][1][key] = digest
