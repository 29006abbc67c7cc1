"""The market of a play: all orders of all rooms, each thing about them when its platform tells of it."""

import heapq
import random
from collections.abc import Callable

from .cast import Part
from .demand import ordered_at
from .goods import Goods, goods
from .late import Late
from .order import Happened, Happening, Order
from .play import Play
from .purchase import instant, purchase
from .script import Broadcast

AGAIN_SHARE = 0.12  # of orders: by somebody who bought in this broadcast before
ORDERS_OF_A_ROOM_MAX = 1_000_000  # so many numbers each room has
ORDERS_OF_A_BROADCAST_MAX = 10_000
BROADCASTS_MAX = ORDERS_OF_A_ROOM_MAX // ORDERS_OF_A_BROADCAST_MAX  # later ones of the same room sell nothing

STEPS: tuple[Happening, ...] = ("created", "paid", "cancelled", "refunded")
NEXT: dict[Happening, tuple[Happening, ...]] = {"created": ("paid", "cancelled"), "paid": ("refunded",)}


class Market:
    """All orders of one play, in the order in which platforms tell of them. It begins, empty, at second 0 of the play.

    It is asked again and again with rising times, keeps only what is still to be told, and tells the same in however
    many steps it is asked. Orders of a broadcast are made up when it begins.
    """

    def __init__(self, play: Play, seed: int, share: float = 1.0) -> None:
        """`share` of the orders are made, the others left out: a day in an hour has 24 times as many a second."""
        self.play, self.seed, self.share = play, seed, share
        self.late = Late(play.parts, play.tempo, seed)
        self._looks = [(0.0, part.number) for part in play.parts]  # a heap: when to look at a room for a broadcast
        self._to_tell: list[tuple[float, int, int, float, Order]] = []  # a heap: told_s, number, next step, at_s, order
        self._offered: dict[tuple[str, str, str, str], tuple[Goods, ...]] = {}

    def prepare(self, progress: Callable[[int, int], None] = lambda done, rooms: None) -> None:
        """Make up the orders of all broadcasts that run at second 0, which may take seconds: else the first `due` does.

        `progress` is told again and again how many rooms are done, and of how many.
        """
        rooms = len(self._looks)
        for done in range(rooms):
            if done % 100 == 0:
                progress(done, rooms)
            self._look(0.0)
        progress(rooms, rooms)

    def due(self, until_play_s: float) -> list[Happened]:
        """Everything told up to then and not handed out yet, by instant and number of the order."""
        while self._look(until_play_s):
            pass
        told = []
        while self._to_tell and self._to_tell[0][0] <= until_play_s:
            told.append(self._tell())
        return told

    def waiting(self) -> int:
        """How many orders of broadcasts that have begun have something still to be told."""
        return len(self._to_tell)

    def orders(self, part: Part, broadcast: Broadcast) -> list[Order]:
        """What is ordered in this broadcast, in the order of its making: pure, whoever asks and when."""
        if broadcast.number >= BROADCASTS_MAX:
            return []
        dice = random.Random(f"market {self.seed} {part.number} {broadcast.number}")  # noqa: S311 (a play, no secret)
        instants = list(ordered_at(dice, part, broadcast))
        if self.share < 1:
            instants = [at_s for at_s in instants if dice.random() < self.share]
        if len(instants) > ORDERS_OF_A_BROADCAST_MAX:
            instants = sorted(dice.sample(instants, ORDERS_OF_A_BROADCAST_MAX))
        number = part.number * ORDERS_OF_A_ROOM_MAX + broadcast.number * ORDERS_OF_A_BROADCAST_MAX
        offered = self._goods(part)
        made: list[Order] = []
        for nth, created_s in enumerate(instants):
            again = made and dice.random() < AGAIN_SHARE
            buyer = dice.choice(made).buyer if again else f"1@#{dice.getrandbits(96):024x}"
            made.append(purchase(dice, part, offered, number + nth, buyer, created_s))
        return made

    def _goods(self, part: Part) -> tuple[Goods, ...]:
        shelf = (part.sells_on, part.shop, part.city, part.product)
        if shelf not in self._offered:
            self._offered[shelf] = goods(part)
        return self._offered[shelf]

    def _look(self, until_s: float) -> bool:
        """Look at the room whose turn it is, if that is up to then: make up its orders if a broadcast runs."""
        if not self._looks or self._looks[0][0] > until_s:
            return False
        look_s, number = self._looks[0]
        broadcast = self.play.broadcast(number, look_s)
        if broadcast.starts_s > look_s:
            heapq.heapreplace(self._looks, (broadcast.starts_s, number))
            return True
        for order in self.orders(self.play.parts[number], broadcast):
            self._will_tell(order, "created", order.created_s, order.created_s)
        heapq.heapreplace(self._looks, (broadcast.ends_s, number))
        return True

    def _tell(self) -> Happened:
        """What is to be told next. Only then is it settled what follows: no refund is told before its payment is."""
        told_s, _, step, at_s, order = heapq.heappop(self._to_tell)
        for what in NEXT.get(STEPS[step], ()):
            if (next_s := instant(order, what)) is not None:
                self._will_tell(order, what, next_s, max(told_s, self.late.told_s(order, what, next_s)))
        return Happened(STEPS[step], order, at_s, told_s)

    def _will_tell(self, order: Order, what: Happening, at_s: float, told_s: float) -> None:
        heapq.heappush(self._to_tell, (told_s, order.number, STEPS.index(what), at_s, order))
