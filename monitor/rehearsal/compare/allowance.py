"""What livemon is told, as far as the comparison must know it, and how far an instant may be off."""

import msgspec

from ..manners import EVERY_S, manner, measure

ANSWERED_S_MAX = 2.0  # livemon waits this long for an answer, or for an interval if that is longer
API_ANSWERED_S_MAX = 15.0  # so long it waits for a platform's open API


class Rules(msgspec.Struct, frozen=True):
    """The settings of the monitor that is judged, in seconds of the world, and the tolerance of instants.

    `interval_s` is how often halls are asked, `report_s` how often a relay reports; all others tell as often as
    `manners` says. What was told from outside is known to one of these and `slack_s`.
    """

    grace_s: float = 120.0
    end_slack_s: float = 900.0
    interval_s: float = 5.0
    report_s: float = 10.0
    settle_s: float = 15.0  # after a blind span absence decides nothing for so long
    slack_s: float = 1.0

    def step_s(self, feed: str) -> float:
        """How long it takes at most until a feed is heard again."""
        usual_s = self.interval_s if feed.startswith("hall-") else self.report_s
        return EVERY_S.get(feed.partition(":")[0], usual_s)

    def late_s(self, feed: str) -> float:
        """How long after the question an answer may come at most."""
        if manner(feed).one_room:  # by an open API: what hung may be answered at last
            return max(API_ANSWERED_S_MAX, self.step_s(feed) / 2) + self.slack_s
        return max(ANSWERED_S_MAX, self.step_s(feed)) + self.slack_s

    def gap_s_max(self, feed: str) -> float:
        """How long a feed that is seen is not heard at most."""
        return self.step_s(feed) + self.slack_s

    def off_s_max(self, feed: str) -> float:
        """How far an instant that this feed told may lie from the true one."""
        return self.gap_s_max(feed) + measure(feed).delay_s

    def ends_off_s(self, feed: str) -> float:
        """How far an end of a blind span may lie from the frame at it.

        Where rooms are told of one by one, the span of all begins with the last word about any room and ends with the
        first one: each room's own may be an interval away, and what was asked then may be answered slowly.
        """
        way, off_s = manner(feed), self.off_s_max(feed)
        return off_s + (API_ANSWERED_S_MAX if way.asked else way.back_s) if way.one_room else off_s

    def silence_s(self, feed: str) -> float:
        """A feed that is asked, and was not heard for so long, is blind."""
        return max(10.0, 3 * self.step_s(feed))
