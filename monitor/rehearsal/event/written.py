"""The script of an event as bytes: who plays and what is to happen, the same for the same seed everywhere."""

from collections.abc import Iterator
from math import inf

import msgspec

from .market import Market
from .order import Order
from .play import Play
from .script import Broadcast, Fault


def lines(play: Play, market: Market, until_play_s: float) -> Iterator[bytes]:
    """JSON, one line each: the play, its outages, each part, then room by room each broadcast that begins before
    `until_play_s` (seconds of the play), and after it the orders that are made in it until then. An instant that never
    comes is null."""
    yield _line(seed=play.seed, speed=play.speed, opens_s=play.tempo.opens_s, rooms=len(play.parts))
    for outage in play.outages:
        rooms = sorted(outage.rooms)
        yield _line(outage={"from_s": outage.from_s, "to_s": outage.to_s, "kind": outage.kind, "rooms": rooms})
    for part in play.parts:
        yield _line(part=msgspec.structs.asdict(part))
    for index, part in enumerate(play.parts):
        for broadcast in play.until(index, until_play_s):
            yield _line(room=part.number, broadcast=_told(broadcast))
            for order in market.orders(part, broadcast):
                if 0 <= order.created_s < until_play_s:
                    yield _line(room=part.number, order=_sold(order))


def _told(broadcast: Broadcast) -> dict[str, object]:
    told = msgspec.structs.asdict(broadcast)
    told["faults"] = [_without_end(fault) for fault in broadcast.faults]
    return told


def _without_end(fault: Fault) -> dict[str, object]:
    return {"from_s": fault.from_s, "to_s": None if fault.to_s == inf else fault.to_s, "kind": fault.kind}


def _sold(order: Order) -> dict[str, object]:
    told = msgspec.structs.asdict(order)
    del told["part"]
    return told


def _line(**what: object) -> bytes:
    return msgspec.json.encode(what, order="sorted") + b"\n"
