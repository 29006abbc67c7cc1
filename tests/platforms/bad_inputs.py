"""The table of bad inputs: which row of the reliability page is tried with which kind elsewhere, or why with none.

What is not here is played by `test_bad_inputs.py` itself; it fails for a row of a kind that is neither.
"""

import importlib
from collections.abc import Iterable

import msgspec

from collectors import KINDS as ALL_KINDS
from collectors.hook import CalledRow

# What calls us is no answer and no socket: what may be wrong with it is tried by tests/http.
KINDS = [
    kind.__struct_config__.tag
    for kind in ALL_KINDS
    if kind.__module__.startswith("collectors.platforms.") and not issubclass(kind, CalledRow)
]
ROWS = {
    "P1": "a redirect to where we must not go",
    "P2": "a body of another length than it says",
    "P3": "a body without end, packed or one byte after the other",
    "P4": "headers that are too long, too many, or none",
    "P5": "cookies",
    "P6": "not modified since an answer that never was",
    "P7": "pages that lead in a circle",
    "P8": "a list that is not whole",
    "P9": "HTTP of old, and answers before the answer",
    "P10": "how long to stay away, beyond all measure",
    "P11": "the answer for another room",
    "P12": "the certificate of another host",
    "W1": "a message beyond the limit",
    "W2": "compression that nobody agreed to",
    "W3": "fragments without end",
    "W4": "what no server may send",
    "W5": "pings without end, pongs for none",
    "W6": "a packet that grows a thousandfold",
    "W7": "lengths that lead astray",
    "W8": "packets within packets, and too many",
    "W9": "a language of bytes instead of ours",
    "W10": "a popularity that cannot be",
    "W11": "a close that is none",
    "W12": "a handshake that is none",
    "W13": "a message of another room",
    "W14": "an hour of messages at once, when we come back",
}


class Because(msgspec.Struct, frozen=True):
    why: str


class Elsewhere(msgspec.Struct, frozen=True):
    """A test by its module under tests/ and its name; `case`: one of its cases, which a dict of the module names."""

    module: str
    test: str
    case: str = ""

    def find(self) -> None:
        """Raises where it is not there."""
        module = importlib.import_module(f"tests.{self.module}")
        assert callable(getattr(module, self.test))
        cases = [case for value in vars(module).values() if isinstance(value, dict) for case in value]
        assert not self.case or self.case in cases


Cell = Because | Elsewhere
POLLS = ("http_json", "wechat_live", "kwaixiaodian_uv", "bilibili_oauth", "twitch", "youtube")
CLIENT = ("wechat_live", "kwaixiaodian_uv", "bilibili_oauth", "twitch", "twitch_eventsub", "youtube", "bilibili_open")
CALL = "accounts.test_guarded_http"
NO_SOCKET = Because("it has no socket: all that it knows it asks for")
NOT_PACKED = Because("its messages are JSON as it stands; nothing within them is unpacked, and no length is believed")
ONE_PAGE = Because("it asks for one page: its rooms are named in the call, or it is one room's")
OF_CLIENT = "test_what_is_no_answer_is_named_and_never_asked_again_by_itself"


def row_of(name: str) -> str:
    return name.partition(" ")[0]


def of(kinds: Iterable[str], cell: Cell) -> dict[str, Cell]:
    return dict.fromkeys(kinds, cell)


OPEN: dict[str, Cell] = {
    # bilibili_open asks by the accounts' client, as all kinds of `CLIENT` do; here its calls come to no socket.
    "P1": Elsewhere(CALL, "test_nothing_is_followed"),
    "P2": Elsewhere(CALL, OF_CLIENT),
    "P3": Elsewhere(CALL, "test_a_drip_ends_at_the_deadline"),
    "P4": Elsewhere(CALL, OF_CLIENT),
    "P5": Elsewhere(CALL, "test_what_is_signed_arrives_as_it_was_written_and_the_answer_comes_whole"),
    "P6": Elsewhere(CALL, "test_nothing_is_followed"),
    "P7": Because("a call begins a run, ends it or keeps it alive: no answer has pages"),
    "P8": Elsewhere("platforms.test_bilibili_open", "test_a_run_that_a_heartbeat_finds_over_is_begun_anew"),
    "P9": Elsewhere(CALL, OF_CLIENT),
    "P11": Elsewhere("platforms.test_bilibili_open", "test_a_code_of_another_room_is_not_heard_as_this_one"),
    "P12": Elsewhere("platforms.test_bad_inputs", "test_nothing_is_said_to_whom_the_certificate_of_another_host_is"),
}
LEFT_OUT = Elsewhere("platforms.test_every_kind", "test_a_room_that_an_answer_leaves_out_is_not_down_at_once")
STAYS_AWAY = Elsewhere("accounts.test_client", "test_nobody_stays_away_for_ever_because_an_answer_says_so")
NOT_LIVE_FOR_LONG = Elsewhere("live.test_failure", "test_how_long_to_stay_away_is_believed_within_reason")
NOT_ASKED_ABOUT = Elsewhere(
    "platforms.test_twitch", "test_an_entry_of_whom_nobody_knows_leaves_all_who_are_not_listed_unseen"
)
FRAMES_TEST = "test_bilibili_frames"

TABLE: dict[str, dict[str, Cell]] = {row: {} for row in ROWS}
for _row, _cell in OPEN.items():
    TABLE[_row]["bilibili_open"] = _cell
for _number in range(1, 15):
    TABLE[f"W{_number}"] |= of(POLLS, NO_SOCKET)
TABLE["P7"] |= of(CLIENT[:-1], ONE_PAGE) | {
    "http_json": Elsewhere(
        "platforms.test_described_faults", "test_two_in_a_row_are_a_blind_span_and_never_a_drop", "P7 a loop of cursors"
    ),
    "ws_json": Because("how rooms stand is asked in calls that each have one page: docs/feeds-by-toml.md"),
}
TABLE["P8"] |= of((*CLIENT[:-1], "http_json", "ws_json"), LEFT_OUT) | {
    "kwaixiaodian_uv": Elsewhere("platforms.test_kwaixiaodian_uv", "test_what_nobody_counts_is_not_zero"),
}
TABLE["P10"] |= of(CLIENT, STAYS_AWAY) | of(("http_json", "ws_json"), NOT_LIVE_FOR_LONG)
TABLE["P11"] |= {
    "http_json": Elsewhere("platforms.test_described_faults", "test_an_answer_about_other_rooms_is_not_believed"),
    "ws_json": Elsewhere(
        "platforms.test_described_answers", "test_an_answer_that_cannot_be_believed_blinds_whom_it_was_about"
    ),
    "wechat_live": Because("an answer names no room: it is told from others by the account's own token alone"),
    "kwaixiaodian_uv": Because("an answer names no room: it is told from others by the shop's own token alone"),
    "bilibili_oauth": Elsewhere("platforms.test_bilibili_api", "test_an_answer_of_another_room_leaves_its_own_unseen"),
    "twitch": NOT_ASKED_ABOUT,
    "twitch_eventsub": NOT_ASKED_ABOUT,  # it asks the same list, and reads it by the same words
    "youtube": Elsewhere("platforms.test_youtube", "test_an_entry_of_whom_nobody_knows_puts_nobody_off_air"),
}
for _row in ("W6", "W7", "W8"):
    TABLE[_row] |= of(("ws_json", "twitch_eventsub"), NOT_PACKED)
TABLE["W6"]["bilibili_open"] = Elsewhere("platforms.test_bilibili_open", "test_a_bomb_costs_one_connection")
TABLE["W8"]["bilibili_open"] = Elsewhere(FRAMES_TEST, "test_a_bomb_ends_at_the_cap")
TABLE["W8"]["ws_json"] = Elsewhere(
    "platforms.test_described_answers", "test_there_is_an_end_to_how_many_rooms_a_frame_may_have"
)
TABLE["W10"] |= {
    "ws_json": Elsewhere(
        "platforms.test_described_socket",
        "test_a_message_that_means_nothing_is_kept_for_a_person",
        "W10 more than a row holds",
    ),
    "twitch_eventsub": Elsewhere("platforms.test_twitch", "test_a_number_of_viewers_that_is_none_is_unknown"),
}
TABLE["W13"] |= {
    "ws_json": Elsewhere("platforms.test_described_socket", "test_a_room_that_we_do_not_watch_changes_nothing_of_ours"),
    "twitch_eventsub": Elsewhere("platforms.test_twitch_eventsub", "test_an_event_that_cannot_be_meant_is_a_bad_frame"),
    "bilibili_open": Elsewhere(
        "platforms.test_bilibili_messages", "test_what_is_of_another_room_or_half_told_is_a_bad_frame"
    ),
}
TABLE["W14"] |= {
    "ws_json": Elsewhere("platforms.test_described_socket", "test_what_happened_an_hour_ago_decides_nothing"),
    "twitch_eventsub": Elsewhere("platforms.test_twitch_eventsub", "test_what_comes_twice_is_taken_once"),
    "bilibili_open": Elsewhere("platforms.test_bilibili_sight", "test_an_hour_of_messages_at_once_ends_nothing"),
}
