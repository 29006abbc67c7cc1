"""A rehearsal with everything in its plan agrees with PostgreSQL to the fen; with a faulty livemon it does not."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from dataclasses import dataclass
from itertools import batched
from pathlib import Path

import pytest

from monitor.rehearsal.rtmp_hall import free_ports

pytestmark = [pytest.mark.real, pytest.mark.slow]

FOR_S = 150
PLAN = """
title = "两分半"
opens = "20:30"

[[fault]]
what = "streams_drop"
minute = 0.6  # four of it begin at once: on a busy machine livemon had seen nobody live after a quarter of a minute
lasts_s = 45
platform = "nginx_rtmp"
share = 0.5

[[fault]]
what = "pushes_twice"
name = "own-shops"
minute = 0.1
lasts_s = 120

[[fault]]
what = "pushes_stop"
name = "doudian"
minute = 0.4
lasts_s = 30

[[fault]]
what = "pushes_stop"
name = "cloud-*"  # that streams are back is told late
minute = 1.2
lasts_s = 18

[[fault]]
what = "feed_outage"
name = "hall-b"
how = "hang"
minute = 0.5
lasts_s = 30

[[fault]]
what = "postgres_restart"
minute = 0.9

[[fault]]
what = "monitor_kill"
minute = 1.6
lasts_s = 4
"""
# What a livemon of the name does wrong, as a program that changes it before it starts.
FAULTS = {
    "none": "",
    "one viewer too many": """
from collectors.servers.nginx_rtmp import NginxRtmp
import msgspec
right = NginxRtmp.observe
def observe(self, *seen):
    tick = right(self, *seen)
    return msgspec.structs.replace(tick, viewers=tick.viewers + 1) if tick.viewers else tick
NginxRtmp.observe = observe
""",
    "one fen too many": """
from collectors.orders.push_json import PushJson
import msgspec
right = PushJson.sale
def sale(self, *told):
    one = right(self, *told)
    return msgspec.structs.replace(one, amount_minor=one.amount_minor + 1) if one.kind == "paid" else one
PushJson.sale = sale
""",
    "no answer is the end of all streams": """
from collectors.former_worker import worker
from collectors.servers.nginx_rtmp import NginxRtmp
right, last = NginxRtmp.ask, {}
async def ask(self, http):
    try:
        last[self.name] = await right(self, http)
        return last[self.name]
    except Exception:
        return (b"<rtmp><pid>%d</pid><uptime>%d</uptime>" % worker(last.get(self.name, b"")) +
                b"<server><application><name>live</name><live></live></application></server></rtmp>")
NginxRtmp.ask = ask
""",
}  # fmt: skip
PLAY = """
import sys
import monitor.rehearsal.monitored as monitored
import monitor.rehearsal.rehearse as rehearse
rehearse.USUAL_PORT, rehearse.USUAL_HOOKS_PORT = int(sys.argv.pop(1)), int(sys.argv.pop(1))
start = "from monitor.cli import main; raise SystemExit(main())"
monitored.LIVEMON = (sys.executable, "-c", sys.argv.pop(1) + start)
from monitor.cli import main
raise SystemExit(main())
"""


@dataclass(frozen=True)
class Ended:
    code: int
    text: str

    def line(self, name: str) -> str:
        """The line of the comparison that begins so."""
        return next(line for line in self.text.splitlines() if line.startswith(f"{name}  "))

    def differs(self) -> set[str]:
        return {re.split(r"  +", line)[0] for line in self.text.splitlines() if line.endswith("DIFFERS")}


async def played(fault: str, folder: Path, ports: tuple[int, int]) -> Ended:
    plan = folder / "plan.toml"
    folder.mkdir()
    plan.write_text(PLAN)
    command = [
        sys.executable, "-c", PLAY, *map(str, ports), fault, "rehearse", "--rooms", "300", "--speed", "2", "--for",
        str(FOR_S), "--faults", str(plan), "--verify", "--data-dir", str(folder / "rehearsal"),
    ]  # fmt: skip
    child = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    try:
        async with asyncio.timeout(540):
            output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
    return Ended(child.returncode or 0, output.decode())


@pytest.fixture(scope="module")
def evenings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """One rehearsal for each fault, side by side: most of their time is waiting."""

    async def all_of_them() -> list[Ended]:
        folder = tmp_path_factory.mktemp("rehearsals")
        ports = batched(free_ports(2 * len(FAULTS)), 2, strict=True)  # each its own: they begin in the same instant
        return await asyncio.gather(
            *(
                played(fault, folder / str(number), (page, hooks))
                for number, (fault, (page, hooks)) in enumerate(zip(FAULTS.values(), ports, strict=True))
            )
        )

    return dict(zip(FAULTS, asyncio.run(all_of_them()), strict=True))


def test_truth_and_postgresql_agree(evenings: dict[str, Ended]) -> None:
    evening = evenings["none"]
    assert evening.code == 0, evening.text[-6000:]
    assert "truth and PostgreSQL agree" in evening.text
    assert not evening.differs()
    for what in ("数据库重启", "接口故障：hall-b", "推送中断：doudian", "推送中断：cloud-*"):
        assert what in evening.text
    # It would agree about nothing, too.
    assert int(re.split(r"  +", evening.line("drops"))[1]) >= 10
    assert int(re.split(r"  +", evening.line("room, shop and instant of sales"))[1].replace(",", "")) >= 20
    assert int(re.split(r"  +", evening.line("blind spans of halls"))[1]) >= 1
    assert int(re.split(r"  +", evening.line("frames of cloud rooms"))[1]) >= 2


@pytest.mark.parametrize(
    ("fault", "lines"),
    [
        ("one viewer too many", {"viewers of halls"}),
        ("one fen too many", {"nginx_rtmp paid CNY"}),
        ("no answer is the end of all streams", {"drops invented", "blind spans of halls"}),
    ],
)
def test_a_faulty_livemon_is_found_out(evenings: dict[str, Ended], fault: str, lines: set[str]) -> None:
    evening = evenings[fault]
    assert evening.code == 1, evening.text[-6000:]
    assert lines <= evening.differs(), evening.text[-6000:]
