"""A rehearsed day told to three chat groups: whoever is on duty, one for digests, one of a hall.

The rehearsal is the public command, with `--robots`; Prometheus and Alertmanager are as shipped, but for a `speed` that
a test gives. Nobody looks into the play while it goes on: what is true is taken from its script afterwards.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import DEVNULL, STDOUT
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import aiohttp

from monitor.config import load
from monitor.rehearsal.drill import plan_file
from monitor.rehearsal.event.cast import cast
from monitor.rehearsal.event.play import Play
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.rtmp_hall import free_ports
from monitor.store.db import Database
from tests.acceptance.alerts.heard import Asked, Heard, Raised
from tests.acceptance.alerts.speeds import Ports, watching
from tests.alerts.chat import Chat, served

MATCHES = {
    "duty": 'severity = ["critical", "warning"]',  # whoever is on duty for the whole event
    "digests": 'severity = "info"',
    "hall": 'hall = "A"',
}
KINDS = {"duty": "dingtalk", "digests": "feishu", "hall": "wecom"}
START_S_MAX = 300.0
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


async def played(folder: Path, asked: Asked) -> Heard:
    """From the empty folder to what everybody heard. Raises AssertionError if the rehearsal fails."""
    folder.mkdir(parents=True, exist_ok=True)
    chats = {name: Chat(kind, time.time) for name, kind in KINDS.items()}
    page, hooks, prometheus, alertmanager = free_ports(4)
    ports = Ports(page, prometheus, alertmanager)
    async with served(*chats.values()):
        given = folder / "given.toml"
        given.write_text(_given(folder, ports, chats), encoding="utf-8")
        command = [
            sys.executable, "-c", PLAY, str(page), str(hooks), asked.change, "rehearse", "--rooms", str(asked.rooms),
            "--speed", f"{asked.speed:g}", "--for", f"{asked.for_s:g}", "--faults", asked.plan,
            "--robots", str(given), "--data-dir", str(folder / "play"),
        ]  # fmt: skip
        with (folder / "rehearsal.log").open("wb") as log:
            child = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=log, stderr=STDOUT)
        try:
            await _listens(child, page, folder / "rehearsal.log")
            async with watching(folder / "watch", ports, asked.watch):
                async with asyncio.timeout(asked.for_s + START_S_MAX):
                    code = await child.wait()
        finally:
            if child.returncode is None:
                child.terminate()
                await child.wait()
        messages = {name: chat.texts for name, chat in chats.items()}
    output = (folder / "rehearsal.log").read_text(encoding="utf-8", errors="replace")
    assert code == 0, output[-3000:]
    heard = Heard(asked, _play(folder / "play" / "livemon.toml", asked), messages, output=output)
    await _ask(folder / "play" / "livemon.toml", heard)
    return heard


def _given(folder: Path, ports: Ports, chats: dict[str, Chat]) -> str:
    """The config of which `--robots` takes whom to tell: a rehearsal's, so that its Alertmanager is taken, too."""
    text = f'purpose = "rehearsal"\nalertmanager_url = "http://127.0.0.1:{ports.alertmanager}"\n'
    for name, chat in chats.items():
        secret = folder / f"{name}.url"
        secret.touch(mode=0o600)
        secret.write_text(chat.url)
        text += f'\n[[robot]]\nname = "{name}"\nkind = "{chat.kind}"\nurl_file = "{name}.url"\n'
        text += f"match = {{ {MATCHES[name]} }}\n"
    return text


async def _listens(child: asyncio.subprocess.Process, port: int, log: Path) -> None:
    """Until livemon answers: a Prometheus that begins sooner says at once that its target is missing."""
    async with asyncio.timeout(START_S_MAX), aiohttp.ClientSession() as http:
        while True:
            assert child.returncode is None, log.read_text(encoding="utf-8", errors="replace")[-3000:]
            with suppress(aiohttp.ClientError):
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.2)


def _play(config: Path, asked: Asked) -> Play:
    """The play as the rehearsal had it, to the second: its config says that the event began an hour before."""
    event = load(config).event
    assert event is not None
    began_at, plan = event.starts_at + timedelta(hours=1), plan_file.load(asked.plan)
    seed = 1 if plan.head.seed is None else plan.head.seed
    parts = cast(asked.rooms, seed)
    tempo = Tempo(began_at, asked.speed, plan.clock(began_at, asked.speed)[1])
    return Play(parts, seed, tempo, plan.outages(parts, seed), plan.head.streams_fail)


async def _ask(config: Path, heard: Heard) -> None:
    database = Database.of(load(config))
    async with database.reachable():
        connection = await database.connect("reader", "the quiet day", command_timeout=300.0)
        try:
            for row in await connection.fetch("SELECT * FROM alert ORDER BY starts_at"):
                labels = json.loads(row["labels"]) if isinstance(row["labels"], str) else row["labels"]
                heard.alerts.append(Raised(row["alertname"], row["severity"], labels, row["starts_at"], row["outcome"]))
            sessions = "SELECT close_reason, count(*) AS sessions FROM session WHERE closed_at IS NOT NULL GROUP BY 1"
            heard.ends.update({row["close_reason"]: row["sessions"] for row in await connection.fetch(sessions)})
            for row in await connection.fetch("SELECT anchor, count(*) AS drops FROM drop_log GROUP BY 1"):
                heard.drops[row["anchor"]] = row["drops"]
        finally:
            await connection.close()
