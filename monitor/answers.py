"""Answers of platforms that were asked about orders, kept in memory for the frames that need them."""

from collections import OrderedDict

from collectors.hook import NO_DETAILS, Details, Need

DETAILS_MAX, DETAILS_BYTES_MAX = 2_000, 33_554_432


class Remembered:
    """By platform, as two of them may number alike; what is forgotten is asked for again."""

    def __init__(self) -> None:
        self._sizes: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        self._of: dict[str, dict[tuple[str, str], bytes]] = {}
        self._bytes = 0

    def put(self, platform: str, need: Need, answer: bytes) -> None:
        key = platform, need.what, need.key
        self._bytes += len(answer) - self._sizes.pop(key, 0)
        self._sizes[key] = len(answer)
        self._of.setdefault(platform, {})[need.what, need.key] = answer
        while len(self._sizes) > DETAILS_MAX or self._bytes > DETAILS_BYTES_MAX:
            (of, *oldest), size = self._sizes.popitem(last=False)
            self._bytes -= size
            del self._of[of][oldest[0], oldest[1]]

    def of(self, platform: str) -> Details:
        return self._of.get(platform, NO_DETAILS)
