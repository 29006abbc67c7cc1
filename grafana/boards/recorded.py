"""What rules have counted already, by platform, hall and city (prometheus/rules/recording.yml): a board that joined
12,000 rooms itself would cost Prometheus seconds each time it is opened."""

from .columns import STATES

ROOMS = "platform_hall_city_state_expected:livemon_rooms:count"
BIT_RATES = "platform_hall_city_class:livemon_rooms_bit_rate:count"
VIEWERS = "platform_hall_city:livemon_room_viewers:sum"
CODES = {en: code for code, (_, en, _) in STATES.items()}
MISSING = f'expected="1", state!="{CODES["live"]}"'  # also those that nobody can see
NOT_STARTED = f'expected="1", state="{CODES["offline"]}"'


def in_state(state: str, chosen: str = "") -> str:
    return rooms(f'state="{CODES[state]}"', chosen)


def rooms(which: str, chosen: str = "", series: str = ROOMS) -> str:
    """How many of the rooms that are `chosen`; 0 when there are none, nothing at all when livemon itself cannot be
    scraped. Both are matchers of labels."""
    both = f"{which}, {chosen}" if chosen else which
    return f"sum({series}{{{both}}} or 0 * {series}{{{chosen}}})"
