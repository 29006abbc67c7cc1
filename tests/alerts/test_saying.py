"""From a plan to messages, with the true words: whom, in which language, once, of which rooms."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec

from monitor.alerts import teller
from monitor.alerts.alert import Episode
from monitor.alerts.boards import Boards
from monitor.alerts.kept import DROPPED as DROP
from monitor.alerts.kept import PLATFORM_OUTAGE, Kept
from monitor.alerts.lately import Lately
from monitor.alerts.saying import TOP_ROOMS_MAX, messages
from monitor.alerts.scene import Told
from monitor.alerts.sight import DROPPED, LIVE, Counts
from monitor.alerts.spoken import Spoken
from tests.alerts.hall import AT, Hall, alert, over
from tests.alerts.telling import Words, robot

ZONE = ZoneInfo("Asia/Shanghai")


def plan_of(*lists: list[Told], more: int = 0) -> teller.Plan:
    return teller.Plan(firing=list(lists), more=more)


def told(number: int, room: int | None, *robots: str, name: str = DROP, **labels: str) -> Told:
    return Told(Kept(Episode(number, alert(name, room, **labels)), AT, told_at=AT, told_to=robots), robots)


def test_each_robot_is_told_of_its_own_in_its_language_under_a_key_of_its_first():
    hall = Hall()
    hall.stand(range(9), DROPPED)
    plan = plan_of([told(4, 1, "a", "b"), told(5, 2, "b"), told(6, 3, "b", "c")], more=10)
    plan.ended = [("recovered", [told(2, 7, "a")])]
    said = messages(plan, [robot("a"), robot("b", "en"), robot("c"), robot("d")], hall.sight, Words())
    assert [(one.robot, one.notice.kind, one.notice.title, one.notice.lines, one.key) for one in said] == [
        ("a", "firing", "zh 11 of 9", ("#4",), "firing:4"),
        ("b", "firing", "en 13 of 9", ("#4", "#5", "#6"), "firing:4"),
        ("c", "firing", "zh 11 of 9", ("#6",), "firing:6"),
        ("a", "recovered", "zh", ("#2",), "recovered:2"),
    ]


def test_what_goes_on_under_another_instant_is_told_of_since_its_first():
    plans: list[teller.Plan] = []

    def step(*asked):
        plans.append(teller.step(*asked))
        return plans[-1]

    class Since(Words):
        def ended(self, episodes, how, rooms, language):
            return msgspec.structs.replace(
                super().ended(episodes, how, rooms, language), lines=tuple(str(one.alert.starts_at) for one in episodes)
            )

    hall = Hall(step)
    for _ in range(3):  # a restart, and another
        hall.stand(1, DROPPED)
        drop = alert(DROP, 1, hall.now)
        hall.post(drop)
        hall.restart(down_s=20)
        hall.post(over(drop, hall.now))
    hall.stand(1, LIVE)
    hall.wait(1)
    robots = [robot("all")]
    (said,) = [one for plan in plans for one in messages(plan, robots, hall.sight, Since()) if plan.ended]
    assert (said.notice.kind, said.notice.lines) == ("recovered", (str(AT),))


def test_a_stop_lasted_since_the_room_stopped_not_since_its_alert():
    plans: list[teller.Plan] = []

    def step(*asked):
        plans.append(teller.step(*asked))
        return plans[-1]

    hall = Hall(step)
    hall.stand(1, DROPPED)
    hall.wait(7)
    drop = alert(DROP, 1, hall.now)
    hall.post(drop)
    hall.wait(53)
    hall.stand(1, LIVE)
    hall.post(over(drop, hall.now))
    words = Spoken(lambda: Boards(zone=ZONE), lambda: hall.now)
    (said,) = [one for plan in plans for one in messages(plan, [robot("all")], hall.sight, words) if plan.ended]
    assert "20:01:00 恢复,历时 1 分" in said.notice.title


def test_the_same_words_are_made_once():
    made = []

    class Counting(Words):
        def firing(self, episodes, rooms, counts, language):
            made.append(language)
            return super().firing(episodes, rooms, counts, language)

    robots = [robot(str(number), "en" if number % 2 else "zh") for number in range(20)]
    names = [one.name for one in robots]
    said = messages(plan_of([told(1, 1, *names), told(2, 2, *names)]), robots, Hall().sight, Counting())
    assert len(said) == 20
    assert sorted(made) == ["en", "zh"]


def test_an_outage_names_the_rooms_with_the_most_viewers_of_its_own():
    hall, seen = Hall(), []
    hall.stand(range(200), DROPPED)
    hall.stand(range(5_000, 5_100), DROPPED, platform="q")
    hall.stand(range(200, 300), LIVE)

    class Looking(Words):
        def firing(self, episodes, rooms, counts, language):
            seen.append((rooms, counts))
            return super().firing(episodes, rooms, counts, language)

    messages(plan_of([told(1, None, "a", name=PLATFORM_OUTAGE)]), [robot("a")], hall.sight, Looking())
    ((rooms, counts),) = seen
    assert list(rooms) == [("p", str(number)) for number in range(199, 199 - TOP_ROOMS_MAX, -1)]
    assert counts == Counts("p", "", told=1, live=100, dropped=200)


def test_the_true_words_of_a_drop():
    hall = Hall()
    hall.stand(1, DROPPED)
    key = ("p", "1")
    hall.sight.rooms[key] = msgspec.structs.replace(
        hall.sight.rooms[key], anchor="王姐海鲜", city="大连", hall="3", viewers_before=12_340, tells_end=True
    )
    totals = {key: 0}
    lately = Lately(lambda: list(totals.items()), "CNY")
    for minute in range(12):
        totals[key] = 100_000 + minute * 1_000_000
        lately.note(AT + timedelta(minutes=minute - 11))
    words = Spoken(lambda: Boards(zone=ZONE), lambda: AT + timedelta(seconds=25), lately.sold)
    (one,) = messages(plan_of([told(4821, 1, "a")]), [robot("a")], hall.sight, words)
    text = one.notice.title + "".join(one.notice.lines)
    assert one.notice.title.startswith("【断流】#4821 大连·王姐海鲜")
    assert "20:00:00 停" in text
    assert "12,340" in text
    assert "100,000" in text  # ten minutes of ten thousand yuan each
    plan = teller.Plan(ended=[("not_recovered", [told(4821, 1, "a")])])
    (ended,) = messages(plan, [robot("a")], hall.sight, words)
    assert ended.notice.title.startswith("【未恢复】#4821")


def test_what_was_sold_lately_is_never_less_than_ten_minutes_worth_nor_of_a_clock_that_stepped():
    totals = {("p", "1"): 0}
    lately = Lately(lambda: list(totals.items()), "CNY")
    for second in range(0, 3_600):
        totals["p", "1"] = second * 10
        now = AT + timedelta(seconds=second)
        lately.note(now)
        sold = lately.sold([("p", "1"), ("p", "2")], now)
        if second < 600:
            assert sold == {}
        else:
            assert 6_000 <= sold["p", "1"][0] < 6_600
            assert list(sold) == [("p", "1")]
    lately.note(AT)
    assert lately.sold([("p", "1")], AT + timedelta(seconds=1)) == {}
    for second in range(60, 661, 60):
        totals["p", "1"] += 500
        lately.note(AT + timedelta(seconds=second))
    assert lately.sold([("p", "1")], AT + timedelta(seconds=660)) == {("p", "1"): (5_000, "CNY")}
