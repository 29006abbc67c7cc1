"""When an account is refreshed: in its time, spread, as early as the rate wants it, and never in vain."""

import random
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from collectors.open_api import Tokens
from monitor.accounts.account import Account
from monitor.accounts.refresh_plan import AT_ONCE, MARGIN, PACE, Due, refresh_due, refresh_due_at, soon
from tests.accounts.played import APP, PlayedApi
from tests.accounts.simulated import EPOCH

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANY_TIME = PlayedApi()


def one(shop: str = "1", life: timedelta = 2 * DAY, refresh: timedelta | None = 180 * DAY, **more: object) -> Account:
    refresh_until = None if refresh is None else EPOCH + refresh
    return Account(APP, "played", shop, tokens=Tokens("a", EPOCH, EPOCH + life, "r", refresh_until), **more)


@given(
    shop=st.text(min_size=1), life_s=st.floats(60, 400 * 86_400),
    window_s=st.none() | st.floats(60, 86_400),
)  # fmt: skip
@example(shop="1", life_s=7 * 86_400.0, window_s=1_800.0)  # Xiaohongshu's
def test_it_is_in_the_second_half_of_its_life_within_the_window_and_before_the_end(shop, life_s, window_s):
    life = timedelta(seconds=life_s)
    due_at = refresh_due_at(one(shop, life, None), PlayedApi(window_s=window_s), EPOCH)
    assert EPOCH + life / 2 <= due_at < EPOCH + life
    if window_s is not None:
        assert due_at >= EPOCH + life - timedelta(seconds=window_s)
    if life > 2 * HOUR and window_s is None:
        assert due_at <= EPOCH + life - MARGIN


def test_shops_are_spread_evenly():
    due_s = sorted((refresh_due_at(one(str(n)), ANY_TIME, EPOCH) - EPOCH).total_seconds() for n in range(12_000))
    begin_s, end_s = 86_400.0, 2 * 86_400.0 - MARGIN.total_seconds()
    most = max(abs((at_s - begin_s) / (end_s - begin_s) - n / 12_000) for n, at_s in enumerate(due_s))
    assert most < 1.63 / 12_000**0.5  # Kolmogorov and Smirnov, at 1 %


def test_what_was_asked_before_a_crash_is_due_at_once():
    due = refresh_due(one(asked_at=EPOCH), PlayedApi(window_s=60), EPOCH)
    assert due.from_at == due.by_at == AT_ONCE


def test_what_can_be_granted_anew_is_due_at_once_and_what_was_never_linked_is_not():
    nothing = Account(APP, "played", "1")
    assert refresh_due(nothing, ANY_TIME, EPOCH) is None
    assert refresh_due(nothing, ANY_TIME, EPOCH, renewable=True).from_at == AT_ONCE


def test_what_is_refused_or_never_ends_is_left_alone():
    assert refresh_due(one(refused="revoked"), ANY_TIME, EPOCH) is None
    assert refresh_due(Account(APP, "played", "1", tokens=Tokens("a", EPOCH)), ANY_TIME, EPOCH) is None


def test_what_nothing_extends_is_due_when_it_ends():
    fixed = Account(APP, "played", "1", tokens=Tokens("a", EPOCH, EPOCH + DAY))
    assert refresh_due_at(fixed, ANY_TIME, EPOCH) == EPOCH + DAY
    assert refresh_due_at(one(life=2 * DAY, refresh=timedelta(hours=1)), ANY_TIME, EPOCH + 2 * HOUR) == EPOCH + 2 * DAY


def test_a_pair_that_inherits_its_end_is_not_refreshed_ever_faster_towards_it():
    """As Kwaixiaodian has it: each new access token lives 48 h, the refresh token ends when the first one would."""
    end, at, refreshes = EPOCH + 10 * DAY, EPOCH, 0
    while at < end:
        tokens = Tokens("a", at, at + 2 * DAY, "r", end)
        due_at = refresh_due_at(Account(APP, "played", "1", tokens=tokens), ANY_TIME, at)
        at, refreshes = due_at, refreshes + 1
    assert refreshes < 20
    assert at >= end + DAY  # the last one was as late as could be: nearly all of its life lies beyond


def through(dues: list[Due], per_s: float) -> dict[object, float]:
    """When each is through, if they are planned each ten seconds and go one after the other at this rate."""
    at_s, done, left = 0.0, dict[object, float](), {due.key: due for due in dues}
    while left:
        now = EPOCH + timedelta(seconds=at_s)
        for due in soon(list(left.values()), per_s, now, timedelta(seconds=10)):
            if due.from_at <= EPOCH + timedelta(seconds=at_s) and at_s < (now - EPOCH).total_seconds() + 10:
                at_s += 1 / (per_s * PACE)
                done[due.key] = at_s
                del left[due.key]
        at_s = max(at_s, (now - EPOCH).total_seconds() + 10)
    return done


def test_a_crowd_begins_early_enough_and_within_what_is_allowed():
    """2,000 at one a second whose own places are all in the last ten minutes of their hour."""
    luck = random.Random(3)
    begin = EPOCH + timedelta(seconds=400)
    by_at = {n: begin + timedelta(seconds=3600 + luck.uniform(0, 300)) for n in range(2_000)}
    dues = [
        Due(at, at - timedelta(seconds=luck.uniform(0, 600)), begin, (APP, str(n), "")) for n, at in by_at.items()
    ]  # fmt: skip
    done = through(dues, 1.0)
    late_s = max((EPOCH + timedelta(seconds=done[due.key]) - due.by_at).total_seconds() for due in dues)
    assert late_s <= 10
    assert min(done.values()) >= 400 + 1000  # not earlier than it must


def test_however_great_the_crowd_nobody_is_sent_before_the_window_opens():
    """10,000 at one a second, all of whom the platform refreshes in the last half hour alone."""
    opens = EPOCH + HOUR
    dues = [Due(opens + HOUR / 2, opens, opens, (APP, str(n), "")) for n in range(10_000)]
    assert soon(dues, 1.0, opens - timedelta(seconds=11), timedelta(seconds=10)) == []
    assert len(soon(dues, 1.0, opens - timedelta(seconds=10), timedelta(seconds=10))) == 10_000


@given(
    spans=st.lists(st.tuples(st.floats(0, 4000), st.floats(0, 4000), st.floats(0, 4000)), min_size=1, max_size=40),
    per_s=st.sampled_from([0.01, 0.1, 1.0, 10.0]), now_s=st.floats(0, 9000),
)  # fmt: skip
def test_looking_only_at_those_near_their_end_plans_as_looking_at_all(spans, per_s, now_s):
    at = [[EPOCH + timedelta(seconds=sum(span[: n + 1])) for n in range(3)] for span in spans]
    dues = [Due(by_at, from_at, not_before, (APP, str(n), "")) for n, (not_before, from_at, by_at) in enumerate(at)]
    now, within = EPOCH + timedelta(seconds=now_s), timedelta(seconds=10)
    latest, wanted = None, []
    for due in sorted(dues, reverse=True):
        step = timedelta(seconds=1 / (per_s * PACE))
        latest = due.by_at if latest is None else min(due.by_at, latest - step)
        if max(min(due.from_at, latest), due.not_before) <= now + within:
            wanted.append(due.key)
    assert [due.key for due in soon(dues, per_s, now, within)] == wanted[::-1]
