"""How the time of the play and the time of the world go together: stamps are the world's, whatever the speed."""

from datetime import datetime, timedelta

import msgspec


class Tempo(msgspec.Struct, frozen=True):
    """Second 0 of the play was at `began_at` (aware UTC); from there the play runs `speed` times as fast as the world.

    Only the play is compressed: how long a fault lasts, how often somebody polls and how long grace is are seconds of
    the world. The calendar of the play starts at `opens_s`, seconds after a local midnight of the event.
    """

    began_at: datetime
    speed: float = 1.0
    opens_s: float = 19.5 * 3600

    def at(self, play_s: float) -> datetime:
        """The instant in the world, aware UTC, at which the play stands at `play_s`."""
        return self.began_at + timedelta(seconds=play_s / self.speed)

    def play_s(self, at: datetime) -> float:
        """Where the play stands at this instant; negative before it began."""
        return (at - self.began_at).total_seconds() * self.speed

    def in_play(self, world_s: float) -> float:
        """Seconds of the play that pass in so many seconds of the world."""
        return world_s * self.speed

    def local_s(self, play_s: float) -> float:
        """Seconds since local midnight, 0 to 86,400, on the clocks of the play."""
        return (self.opens_s + play_s) % 86_400
