"""Plans of drills: every mistake is told with its line, rooms are picked by the seed alone, clocks meet at midnight."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from monitor.problem import ConfigError
from monitor.rehearsal.drill.fault_words import words
from monitor.rehearsal.drill.faults import KINDS, Fault, FeedOutage, PushesStop, See, StreamsDrop, clash
from monitor.rehearsal.drill.plan import Head, Plan, midnight_at, zone_with_midnight_at
from monitor.rehearsal.drill.plan_file import load, ready_plans
from monitor.rehearsal.drill.usual_plan import CALM_S, ROUND_S, default_plan
from monitor.rehearsal.event.cast import Part, cast
from monitor.rehearsal.event.play import Play
from monitor.rehearsal.event.tempo import Tempo
from tests.postgres import FreshDatabase
from tests.test_words import OTHERS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "drills.md").read_text(encoding="utf-8")
BEGAN = datetime(2026, 11, 19, 12, 0, 30, tzinfo=UTC)
PARTS = cast(400, seed=1)


@pytest.fixture
def wrong(tmp_path: Path) -> Callable[[str], list[str]]:
    """What is told of this text, without the name of the file."""

    def read(text: str) -> list[str]:
        path = tmp_path / "plan.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as told:
            load(str(path))
        return [str(problem).removeprefix(f"{path}:") for problem in told.value.problems]

    return read


@pytest.fixture
def plan(tmp_path: Path) -> Callable[[str], Plan]:
    def read(text: str) -> Plan:
        path = tmp_path / "plan.toml"
        path.write_text(text, encoding="utf-8")
        return load(str(path))

    return read


WRONG = [
    ("", "1: title is missing; add it"),
    ('title = "t"\ntitel = "t"', "2: unknown key 'titel'; did you mean 'title'?"),
    ('title = "t"\nspeed = "fast"', "2: speed is a text; give a number from 0.1 to 1_000"),
    ('title = "t"\nstreams_fail = "no"', "2: streams_fail is a text; give true or false"),
    ('title = "t"\norders_share = 1.5', "2: orders_share is 1.5"),
    ('title = "t"\nend_slack_s = -1', "2: end_slack_s is -1; give a number from 0 to 7_200"),
    ('title = "t"\nopens = "25:00"', "2: opens is '25:00'; give a time of day, as \"20:00\""),
    ('title = "t"\nopens = "20:00"\nmidnight_in_min = 5', "2: opens and midnight_in_min both say"),
    ('title = "t"\nfault = 3', "2: fault is not a list of tables"),
    ('title = "t"\n[[fault]]\nminute = 1', '2: this [[fault]] does not say what happens; add what = "..."'),
    ('title = "t"\n[[fault]]\nwhat = "stream_drop"', "3: 'stream_drop' is no kind of fault; give one of: feed_outage"),
    ('title = "t"\n[[fault]]\nwhat = "streams_drop"\nlasts_s = 5', "2: minute is missing; add it: minute = 1"),
    ('title = "t"\n[[fault]]\nwhat = "streams_drop"\nminute = 1', "2: how long does streams_drop last?"),
    (
        'title = "t"\n[[fault]]\nwhat = "streams_drop"\nminute = 1\nlasts_s = 5\nlasts_min = 1',
        "6: lasts_s and lasts_min both say how long it lasts; keep one of them",
    ),
    (
        'title = "t"\n[[fault]]\nwhat = "postgres_restart"\nminute = 1\nlasts_s = 5',
        "5: postgres_restart happens at one instant",
    ),
    (
        'title = "t"\n[[fault]]\nwhat = "pushes_stop"\nminute = 1\nlasts_s = 5\nname = "x"\nhow = "hang"',
        "7: unknown key 'how' in [[fault]]; remove it (known here: do, lasts_min",
    ),
    (
        'title = "t"\n[[fault]]\nwhat = "feed_outage"\nminute = 1\nlasts_s = 5\nname = "x"\nhow = "gone"',
        "7: how is a text; give one of: error, garbage, hang, refuse",
    ),
    (
        'title = "t"\n[[fault]]\nwhat = "monitor_kill"\nminute = 2\nlasts_s = 5\nsee = [\n{ minute = 1, text = "a" }]',
        "7: minute 1 is before the fault begins",
    ),
    (
        'title = "t"\n[[fault]]\nwhat = "monitor_kill"\nminute = 2\nlasts_s = 5\n[[fault.see]]\nminute = 3\ntext = ""',
        "8: see.text is an empty text",
    ),
    (
        'title = "t"\nfor_s = 60\n[[fault]]\nwhat = "monitor_kill"\nminute = 0.9\nlasts_s = 7',
        "3: it lasts until second 61,",
    ),
    ('title = "t"\nseed = ［1］', "2: not TOML: invalid value; use the ASCII signs"),
]


@pytest.mark.parametrize(("text", "told"), WRONG, ids=[told[:40] for _, told in WRONG])
def test_a_mistake_is_told_with_its_line(text: str, told: str, wrong: Callable[[str], list[str]]) -> None:
    [said] = wrong(text)
    assert said.startswith(told)


def test_all_mistakes_are_told_at_once(wrong: Callable[[str], list[str]]) -> None:
    text = 'rooms = 0\n[[fault]]\nwhat = "no"\n[[fault]]\nwhat = "monitor_kill"\nminute = -1\nsee = [{ minute = 1 }]'
    assert [said.partition(";")[0] for said in wrong(text)] == [
        "1: rooms is 0", "1: title is missing", "3: 'no' is no kind of fault", "6: minute is -1",
        "7: see.text is missing",
    ]  # fmt: skip


def test_a_file_that_is_not_there_names_the_ready_plans() -> None:
    with pytest.raises(ConfigError, match=r"midnight, platform-outage, quiet-day, thirty-drops"):
        load("platform-outtage")


def two(one: str, other: str) -> str:
    return 'title = "t"\n[[fault]]\n' + one + "\n[[fault]]\n" + other


MEETINGS = [
    ('what = "streams_drop"\nhall = "A"', 'what = "streams_drop"\nhall = "A"', 10, 60, True),
    ('what = "streams_drop"\nhall = "A"', 'what = "streams_drop"\nhall = "B"', 10, 60, False),
    ('what = "streams_drop"\nhall = "A"', 'what = "streams_freeze"\nhall = "A"', 10, 60, False),
    ('what = "streams_drop"\nhall = "A"', 'what = "streams_drop"\nhall = "A"', 60, 60, False),
    ('what = "feed_outage"\nname = "hall-a"', 'what = "feed_outage"\nname = "hall-*"', 10, 60, True),
    ('what = "feed_outage"\nname = "hall-*"', 'what = "feed_outage"\nname = "hall-a"', 10, 60, True),
    ('what = "feed_outage"\nname = "hall-b"', 'what = "feed_outage"\nname = "hall-a"', 10, 60, False),
    ('what = "feed_outage"\nname = "doudian"', 'what = "pushes_stop"\nname = "doudian"', 10, 60, False),
    ('what = "monitor_kill"', 'what = "postgres_stop"', 80, 60, True),
    ('what = "monitor_kill"', 'what = "postgres_stop"', 90, 60, False),
]


@pytest.mark.parametrize(("one", "other", "later_s", "lasts_s", "meet"), MEETINGS)
def test_two_on_one_target_do_not_meet(
    one: str, other: str, later_s: int, lasts_s: int, meet: bool, plan: Callable[[str], Plan]
) -> None:
    text = two(f"{one}\nminute = 1\nlasts_s = {lasts_s}", f"{other}\nminute = {1 + later_s / 60}\nlasts_s = {lasts_s}")
    if not meet:
        assert len(plan(text).faults) == 2
        return
    with pytest.raises(ConfigError) as told:
        plan(text)
    second = text.splitlines().index("[[fault]]", 2) + 1
    assert [(problem.line, problem.what) for problem in told.value.problems] == [
        (second, "it meets [[fault]] number 1, which hits the same")
    ]


# --- which rooms ------------------------------------------------------------------------------------------------------


def drop(**keys: object) -> Plan:
    return Plan(Head(title="t"), (StreamsDrop(minute=2, lasts_s=30, **keys),), "plan.toml", (7,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keys", "answers"),
    [
        ({}, lambda part: True),
        ({"platform": "doudian"}, lambda part: part.platform == "doudian"),
        ({"platform": "nginx_rtmp", "hall": "A"}, lambda part: part.platform == "nginx_rtmp" and part.hall == "A"),
        ({"city": "沈阳", "tier": 4}, lambda part: part.city == "沈阳" and part.tier == 4),
        ({"category": "海鲜水产"}, lambda part: part.category == "海鲜水产"),
        ({"platform": "nginx_rtmp", "room": PARTS[0].room}, lambda part: part.number == 0),
    ],
)
def test_an_outage_hits_exactly_those_that_answer(keys: dict[str, object], answers: Callable[[Part], bool]) -> None:
    [outage] = drop(**keys).outages(PARTS, seed=1, delay_s=5)
    assert outage.rooms == {part.number for part in PARTS if answers(part)}
    assert (outage.from_s, outage.to_s, outage.kind) == (125, 155, "drop")


def test_a_share_is_picked_by_the_seed_alone() -> None:
    plan = drop(platform="nginx_rtmp", share=0.25)
    [first], [again], [other] = (plan.outages(PARTS, seed) for seed in (1, 1, 2))
    rooms = {part.number for part in PARTS if part.platform == "nginx_rtmp"}
    assert first.rooms == again.rooms != other.rooms
    assert first.rooms < rooms
    assert len(first.rooms) == round(0.25 * len(rooms))


def test_numbers_of_rooms_are_theirs_in_the_whole_cast() -> None:
    parts = PARTS[200:]
    [outage] = drop(platform="wechat").outages(parts, seed=1)
    assert outage.rooms == {part.number for part in parts if part.platform == "wechat"}


def test_a_fault_that_hits_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"plan.toml:7: streams drop: city 上海, 30 s hits nothing: no room of"):
        drop(city="上海").outages(PARTS, seed=1)
    plan = Plan(Head(title="t"), (FeedOutage(minute=1, lasts_s=5, name="hal-*"),), "plan.toml", (3,))
    with pytest.raises(ConfigError, match=r"plan.toml:3: .* no platform named 'hal-\*'; give one .* doudian, hall-a"):
        plan.must_know(["hall-a", "doudian"])
    msgspec.structs.replace(plan, faults=(FeedOutage(minute=1, lasts_s=5, name="hall-*"),)).must_know(["hall-a"])


# --- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utc", "zone"),
    [
        ("2026-11-19T12:00:00", "+11:55"),
        ("2026-11-19T15:55:00", "+08:00"),
        ("2026-11-19T20:29:59", "+03:25"),
        ("2026-11-19T23:55:00", "+00:00"),
        ("2026-11-19T23:58:00", "-00:03"),
        ("2026-11-19T09:55:00", "+14:00"),
        ("2026-11-19T09:54:00", "-09:59"),
        ("2026-11-19T07:05:00", "-07:10"),
    ],
)
def test_the_zone_whose_midnight_is_five_minutes_away(utc: str, zone: str) -> None:
    assert zone_with_midnight_at(datetime.fromisoformat(utc).replace(tzinfo=UTC), 5) == zone


def test_midnight_is_never_sooner_than_asked_and_at_most_a_minute_later() -> None:
    for second in range(0, 86_400, 1_717):
        now = BEGAN + timedelta(seconds=second)
        ahead = now.replace(tzinfo=None) - datetime.fromisoformat(
            f"{now:%Y-%m-%dT%H:%M:%S}{zone_with_midnight_at(now, 5)}"
        ).astimezone(UTC).replace(tzinfo=None)
        assert timedelta(hours=-12) <= ahead <= timedelta(hours=14)
        shown = now + ahead
        until = timedelta(days=1) - timedelta(hours=shown.hour, minutes=shown.minute, seconds=shown.second)
        assert timedelta(minutes=5) <= until < timedelta(minutes=6)


@pytest.mark.parametrize("speed", [1.0, 10.0, 400.0])
def test_the_midnight_of_the_play_is_that_of_the_database(speed: float) -> None:
    plan = Plan(Head(title="t", midnight_in_min=5), ())
    zone, opens_s = plan.clock(BEGAN, speed)
    tempo = Tempo(BEGAN, speed, opens_s)
    at = midnight_at(BEGAN, 5)
    assert zone == zone_with_midnight_at(BEGAN, 5)
    assert tempo.local_s(tempo.play_s(at)) == pytest.approx(0, abs=1e-6)
    assert tempo.local_s(tempo.play_s(at - timedelta(milliseconds=1))) > 86_399


def test_a_play_opens_when_the_plan_says() -> None:
    assert Plan(Head(title="t", opens="9:05"), ()).clock(BEGAN) == ("Asia/Shanghai", 9 * 3600 + 5 * 60)
    assert Plan(Head(title="t"), ()).clock(BEGAN) == ("Asia/Shanghai", 19.5 * 3600)


def test_a_plan_ends_when_all_is_over_and_seen() -> None:
    fault = PushesStop(minute=1, lasts_s=30, name="x", see=[See(minute=4, text="a")])
    assert Plan(Head(title="t"), (fault,)).ends_s == 240
    assert drop().ends_s == 150
    assert Plan(Head(title="t", see=[See(minute=3, text="a")]), ()).ends_s == 180


# --- without a plan ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_usual_plan_is_a_rehearsal_and_no_storm(speed: float, seed: int) -> None:
    tempo = Tempo(BEGAN, speed)
    faults = default_plan(seed, tempo, None).faults
    assert faults == default_plan(seed, tempo, None).faults
    assert {type(fault) for fault in faults if fault.to_s <= 1_200} == {StreamsDrop, FeedOutage, PushesStop}
    assert len(faults) == (21 if speed < 100 else 6)  # seven evenings; at 100 an evening each quarter of an hour
    assert all(one.to_s < other.from_s for one, other in pairwise(faults))
    for evening in range(0, len(faults), 3):
        three = faults[evening : evening + 3]
        assert len({type(fault) for fault in three}) == 3
        assert three[-1].from_s - three[0].from_s < ROUND_S
        assert 17 * 3600 < tempo.local_s(tempo.in_play(three[0].from_s)) < 24 * 3600 or speed == 100
        if evening:
            assert three[0].from_s - faults[evening - 1].from_s > CALM_S
    assert all(86 <= fault.length_s <= 300 for fault in faults)


@pytest.mark.parametrize(("for_s", "faults"), [(60.0, 0), (300.0, 3), (1_200.0, 3), (7_200.0, 3)])
def test_the_usual_plan_fits_the_play(for_s: float, faults: int) -> None:
    plan = default_plan(3, Tempo(BEGAN, 10.0), for_s)
    assert len(plan.faults) == faults
    plan.outages(PARTS[:1], seed=3)  # nobody wrote it, so that it hits nothing of a small cast is no mistake
    plan.must_know([])


def test_the_usual_plan_is_over_before_the_play() -> None:
    for for_s in range(30, 3_000, 7):
        assert all(default_plan(seed, Tempo(BEGAN, 10.0), for_s).ends_s <= for_s for seed in range(5))
    for seed in (41, 59, 85):  # of the few that would be over too late by a second
        assert 0 < default_plan(seed, Tempo(BEGAN, 10.0), 105).ends_s <= 105


def test_the_usual_plan_fails_no_interface_of_a_cloud_which_has_none() -> None:
    faults = [fault for seed in range(40) for fault in default_plan(seed, Tempo(BEGAN, 10.0), 1_200).faults]
    failing = {fault.name for fault in faults if isinstance(fault, FeedOutage)}
    assert failing == {f"hall-{hall}" for hall in "abcdefghi"} | {"hls-j"}
    assert {fault.hall for fault in faults if isinstance(fault, StreamsDrop)} >= set("KLM")


# --- the ready plans and the document ---------------------------------------------------------------------------------

READY = {name: load(name) for name in ready_plans()}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in ready_plans().items()} | {"drills.md": DOCUMENT}


SAME_DAY = ("rooms", "speed", "for_s", "seed", "opens", "streams_fail", "orders_share", "end_slack_s")


def sees(plan: Plan) -> list[See]:
    return [see for table in (plan.head, *plan.faults) for see in table.see]


def test_there_are_four_ready_plans() -> None:
    assert set(READY) == {"platform-outage", "midnight", "quiet-day", "thirty-drops"}
    assert READY["midnight"].head.midnight_in_min == 5
    assert not READY["quiet-day"].faults


@pytest.mark.parametrize("name", READY)
def test_a_ready_plan_can_be_practised(name: str) -> None:
    plan = READY[name]
    told = [fault for fault in plan.faults if not (isinstance(fault, StreamsDrop) and fault.room)]  # one room: a line
    assert all(fault.see and fault.do for fault in told)
    assert plan.head.see
    assert plan.head.for_s is not None
    assert plan.ends_s < plan.head.for_s
    assert plan.outages(cast(min(plan.head.rooms or 0, 2_000), 1), 1) or name in ("midnight", "quiet-day")
    plan.must_know(["hall-a", "hall-b", "hall-c", "hall-d", "doudian", "kwaixiaodian"])
    assert not any(clash(one, other) for one in plan.faults for other in plan.faults if one is not other)
    for fault in told:
        assert all(fault.minute < see.minute for see in fault.see), words(fault)
        assert f"| {shown(fault.minute)} |" in DOCUMENT, f"{name}: minute {fault.minute} is not in the document"


def test_each_of_the_thirty_is_live_and_planned_and_far_from_its_end() -> None:
    """Otherwise its stop were a sign-off, or nothing at all. Back within grace, seen before, during and afterwards."""
    plan, quiet = READY["thirty-drops"], READY["quiet-day"].head
    head = plan.head
    assert [getattr(head, key) for key in SAME_DAY] == [getattr(quiet, key) for key in SAME_DAY]
    assert head.speed is not None
    parts = cast(600, 1)
    tempo = Tempo(BEGAN, head.speed, plan.clock(BEGAN, head.speed)[1])
    play = Play(parts, 1, tempo, plan.outages(parts, 1), head.streams_fail)
    hit = [number for outage in play.outages for number in outage.rooms]
    assert len(hit) == len(set(hit)) == 30
    assert len({parts[number].platform for number in hit}) == 8
    for outage, number in zip(play.outages, hit, strict=True):
        one = play.broadcast(number, tempo.in_play(outage.from_s))
        starts_s, ends_s, planned_s = (s / head.speed for s in (one.starts_s, one.ends_s, one.planned_end_s))
        assert [(fault.from_s, fault.to_s) for fault in one.faults] == [
            (tempo.in_play(outage.from_s), tempo.in_play(outage.to_s))
        ]
        assert starts_s + 60 <= outage.from_s
        assert outage.to_s + 30 <= planned_s - (head.end_slack_s or 0)
        assert outage.to_s + 60 <= ends_s
        assert 60 < outage.to_s - outage.from_s < 110


def test_a_slot_of_the_quiet_day_is_longer_than_its_slack_and_no_stream_fails() -> None:
    """Otherwise no stop could be a drop, and a day without any would prove nothing."""
    plan = READY["quiet-day"]
    head = plan.head
    assert head.speed is not None
    assert head.for_s is not None
    assert head.end_slack_s is not None
    tempo = Tempo(BEGAN, head.speed, plan.clock(BEGAN, head.speed)[1])
    play = Play(PARTS, 1, tempo, (), head.streams_fail)
    told = [(part, one) for part in PARTS for one in play.until(part.number, tempo.in_play(head.for_s))]
    assert not any(one.faults for _, one in told)
    assert {one.ending for _, one in told} == {"signed_off", "absent"}
    early = [
        (one.planned_end_s - one.ends_s) / head.speed
        for part, one in told
        if part.platform == "nginx_rtmp" and one.ending == "signed_off"
    ]
    assert 60 < max(early) < head.end_slack_s - 20
    assert min((one.planned_end_s - one.starts_s) / head.speed for _, one in told) > 2 * head.end_slack_s


def shown(minute: float) -> str:
    return f"{int(minute)}:{round(minute % 1 * 60):02}" if minute % 1 else f"{minute:g}"


@pytest.mark.parametrize("name", TEXTS)
def test_it_names_only_alerts_that_exist(name: str) -> None:
    rules = "".join(path.read_text() for path in (ROOT / "prometheus/rules").glob("*.yml"))
    known = set(re.findall(r"- alert: (\w+)", rules))
    named = set(re.findall(r"Livemon[A-Z]\w+", TEXTS[name]))
    assert named
    assert named <= known


def titles(language: str) -> list[str]:
    """Of all boards and panels, in the same order in every language."""
    paths = sorted((ROOT / "grafana/dashboards" / language).rglob("*.json"))
    boards = [json.loads(path.read_text()) for path in paths]
    found = [board["title"] for board in boards] + [panel["title"] for board in boards for panel in board["panels"]]
    return [title.removeprefix("${purpose_mark}") for title in found]


@pytest.mark.parametrize("name", TEXTS)
def test_it_names_only_metrics_and_panels_that_exist(name: str) -> None:
    code = "".join(path.read_text() for path in (ROOT / "monitor/http").glob("*.py"))
    boards = {f"{zh} · {en}" for zh, en in zip(*(titles(language) for language in ("zh", "en")), strict=True)}
    metrics = set(re.findall(r"livemon_[a-z_]+", TEXTS[name]))
    panels = set(re.findall(r"「([^」]+ · [^」]+)」", TEXTS[name]))
    assert metrics
    assert panels
    assert [metric for metric in metrics if f'"{metric}"' not in code] == []
    assert [panel for panel in panels if panel not in boards] == []


@pytest.mark.parametrize("name", TEXTS)
def test_runbooks_that_it_names_are_there(name: str) -> None:
    for path in re.findall(r"docs/[\w/-]+\.md", TEXTS[name]):
        assert (ROOT / path).is_file(), path


def questions() -> list[str]:
    found = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
    for plan in READY.values():
        found += [said for see in sees(plan) for said in re.findall(r"SELECT [^：；。]+", see.text)]
    return found


@pytest.mark.real
async def test_every_question_is_one_that_a_reader_may_ask(database: FreshDatabase) -> None:
    assert len(questions()) > 10
    reader = await database.connect("reader")
    try:
        for question in questions():
            await reader.fetch(question)
    finally:
        await reader.close()


@pytest.mark.parametrize("name", TEXTS)
def test_one_word_for_one_thing(name: str) -> None:
    found = [other for others in OTHERS.values() for other in others if other in TEXTS[name]]
    assert found == []


def rows(heading: str) -> dict[str, list[str]]:
    """Of the table under this heading: by what stands in backticks in the first cell, what does in the second."""
    table = DOCUMENT.partition(f"### {heading}\n")[2].partition("\n#")[0]
    lines = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| `")]
    return {key: re.findall(r"`(\w+)`", line[1]) for line in lines for key in re.findall(r"`(\w+)`", line[0])}


def keys(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def test_the_document_names_every_key_and_kind_and_no_other() -> None:
    kinds = rows("Kinds")
    kinds.pop("what")  # the head of the table
    assert set(rows("Above the faults")) == keys(Head)
    assert set(rows("Every fault")) == keys(Fault) | {"what"}
    assert {kind: set(own) for kind, own in kinds.items()} == {
        kind: keys(struct) - keys(Fault) for kind, struct in KINDS.items()
    }


def test_the_example_of_the_document_is_a_plan(plan: Callable[[str], Plan]) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    [outage] = plan(example).outages(PARTS, seed=1)
    assert outage.kind == "freeze"


def test_the_document_shows_the_lines_that_are_printed() -> None:
    in_chinese, in_english = words(READY["platform-outage"].faults[0])
    assert f"▶ {in_chinese} · {in_english}" in DOCUMENT
