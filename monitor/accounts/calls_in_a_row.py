"""Whether it is everybody's trouble that calls fail, of which each names many rooms of a feed. Pure."""

IN_A_ROW_MAX = 10  # so many failures with no answer between, or as many as there are calls
NEW_MAX = 3  # if so many of those that were answered before are among them, or all of these


class CallsInARow:
    """What fails for ever says nothing of the others, however often it is asked: only those count as everybody that
    were answered until then."""

    def __init__(self, calls: int) -> None:
        self._calls, self._in_a_row = calls, 0
        self._failing: set[str] = set()  # when they were asked last
        self._new: set[str] = set()  # those of them that were not yet failing when the row began

    def answered(self, call: str) -> None:
        self._in_a_row = 0
        self._failing.discard(call)
        self._new.clear()

    def failed(self, call: str) -> bool:
        """True: it is everybody's trouble, and this call shows it.

        One that failed before never does: it may be the first to be asked when the others would be answered again.
        """
        self._in_a_row += 1
        if call not in self._failing:
            self._failing.add(call)
            self._new.add(call)
        answering = self._calls - len(self._failing) + len(self._new)
        many = self._in_a_row >= min(IN_A_ROW_MAX, self._calls) and len(self._new) >= min(NEW_MAX, answering)
        return many and call in self._new
