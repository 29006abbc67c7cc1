"""`POST /duty`: carries out what a command on this machine asks, if it knows the key that lies in data_dir."""

import hmac
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from monitor.alerts.duty import Duty, Outcome, Unnamed, person, why
from monitor.alerts.duty_order import BYTES_MAX, PATH, Acknowledge, Answer, EndRoom, HandOver, Order, bearer
from monitor.alerts.notice import Language
from monitor.http.body import Bodies
from monitor.http.outcome import Turned

DECODER = msgspec.json.Decoder(Order)


class DutyDoor:
    """`hand_over(send, language)` gives the lines of a handover."""

    def __init__(self, duty: Duty, key: bytes, hand_over: Callable[[bool, Language], Awaitable[list[str]]]) -> None:
        self._duty, self._key, self._hand_over = duty, bearer(key).encode(), hand_over
        self._bodies = Bodies()

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.take)]

    async def take(self, request: web.Request) -> web.Response:
        said = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(said, self._key):
            return web.Response(status=401, text="401\n")
        try:
            order = DECODER.decode(await self._bodies.read(request, BYTES_MAX, request.remote))
            answer = await self._answered(order)
        except Turned as turned:
            return web.Response(status=turned.status, text=f"{turned.status}\n")
        except msgspec.MsgspecError:
            return web.Response(status=400, text="400\n")
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def _answered(self, order: Order) -> Answer:
        try:
            match order:
                case Acknowledge(number=number, by=by, reason=reason):
                    return _answer(await self._duty.acknowledge(number, person(by), why(reason)))
                case EndRoom(platform=platform, room=room, by=by, reason=reason):
                    return _answer(await self._duty.end_room(platform, room, person(by), why(reason)))
                case HandOver(send=send, language=language):
                    return Answer(True, "handed_over", lines=await self._hand_over(send, language))
        except Unnamed as error:
            return Answer(False, "unnamed", detail=str(error))


def _answer(outcome: Outcome) -> Answer:
    return Answer(outcome.done, outcome.word, outcome.by, outcome.until, outcome.detail)
