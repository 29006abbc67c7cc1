"""How livemon and the rooms stand: panels that several boards have, the same in all of them."""

from collections.abc import Callable

from .columns import STATES
from .panels import CALM, HOT, WARM, AnyPanel, count_of, lines
from .queries import promql
from .words import Say

type InState = Callable[[str], str]  # PromQL of how many rooms are in this state


def monitor(say: Say) -> AnyPanel:
    """The first to be looked at: without livemon no other number is worth anything."""
    return count_of(
        say("监控本身", "Monitor"),
        say(
            "Prometheus 能否采集 livemon；失联时其余数字都不可信。",
            "Whether livemon itself can be scraped; if not, no other number here is to be trusted.",
        ),
        'min(up{job=~"livemon|livemon-rooms"})',
        [(None, HOT), (1, CALM)],
        words={"0": (say("失联", "away"), HOT), "1": (say("正常", "fine"), CALM)},
    )


def dropped(say: Say, in_state: InState) -> AnyPanel:
    return count_of(
        say("断流", "Dropped"),
        say("断流、仍在宽限期内的直播间。", "Rooms that stopped and may come back within grace."),
        in_state("dropped"),
        [(None, CALM), (1, WARM)],
    )


def rooms_by_state(say: Say, in_state: InState) -> AnyPanel:
    asked = [
        promql(in_state(en), say(zh, en), ref=chr(ord("A") + place))
        for place, (zh, en, _) in enumerate(STATES.values())
    ]
    return lines(
        say("直播间状态", "Rooms by state"),
        say("每种状态的直播间数。", "How many rooms are in each state."),
        asked,
        decimals=0,
        colors={say(zh, en): color for zh, en, color in STATES.values()},
    )
