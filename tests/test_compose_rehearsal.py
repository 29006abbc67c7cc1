"""Compose's profile `rehearsal`: apart from the event, with its rules and boards; its container without Docker."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.container import Container, needs_namespaces
from tests.test_compose import DOCKERFILE, NOBODY, ROOT, compose

PROVISIONING, REHEARSED = ROOT / "grafana" / "provisioning", ROOT / "docker" / "rehearsal" / "provisioning"
PLAYED = {"rehearsal", "prometheus-rehearsal", "alertmanager-rehearsal", "grafana-rehearsal"}
DATA = "/var/lib/livemon/rehearsal/data"
ASK = """
import asyncio, asyncpg, sys
async def ask(socket, *logins):
    for user, file in zip(logins[::2], logins[1::2]):
        sql = await asyncpg.connect(host=socket, user=user, password=open(file).read().strip(), database="livemon")
        print(await sql.fetchval("SELECT current_user || ' ' || count(*) FROM room_now"))
        await sql.close()
asyncio.run(ask(*sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    done = compose("--profile", "rehearsal", "config", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout)["services"])


def test_it_starts_only_where_it_is_asked_for_and_never_meets_the_event(services: dict[str, dict[str, Any]]):
    event = json.loads(compose("config", "--format", "json").stdout)["services"]
    assert set(services) - set(event) == PLAYED
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert all(networks[name] == {"rehearsal"} for name in PLAYED)
    assert not any("rehearsal" in networks[name] for name in event)

    def volumes(names: set[str]) -> set[str]:
        return {mount["source"] for name in names for mount in services[name]["volumes"] if mount["type"] == "volume"}

    assert not volumes(PLAYED) & volumes(set(event))
    secrets = {secret["source"] for name in PLAYED for secret in services[name].get("secrets", [])}
    assert secrets == {"grafana_admin"}, "no password of the event's database"
    needed = {name: set(service.get("depends_on", {})) for name, service in services.items()}
    assert needed["grafana-rehearsal"] == PLAYED - {"grafana-rehearsal"}, "one name starts all"


def test_no_two_services_want_the_same_port(services: dict[str, dict[str, Any]]):
    ports = [port["published"] for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == len(set(ports)) == 8


def test_in_its_network_the_event_s_configuration_finds_the_rehearsal(services: dict[str, dict[str, Any]]):
    names = {alias for name in PLAYED for alias in (services[name]["networks"]["rehearsal"] or {}).get("aliases", [])}
    for file in ("prometheus.yml", "alertmanager.yml"):
        text = re.sub(r"#.*", "", (ROOT / "prometheus" / file).read_text())
        hosts = set(re.findall(r"(?:\"|//)([a-z][\w.-]*):\d+", text)) - {"localhost"}
        assert hosts <= names, file
    for name in ("prometheus", "alertmanager"):
        mounts = [mount for mount in services[name]["volumes"] if mount["type"] == "bind"]
        assert mounts == [mount for mount in services[f"{name}-rehearsal"]["volumes"] if mount["type"] == "bind"]
        same = ("image", "command", "deploy", "healthcheck")
        assert [services[name][key] for key in same] == [services[f"{name}-rehearsal"][key] for key in same]


def test_its_grafana_is_provisioned_as_the_event_s_but_for_passwords_and_boards(services: dict[str, dict[str, Any]]):
    real, played = (yaml.safe_load((at / "datasources/livemon.yaml").read_text()) for at in (PROVISIONING, REHEARSED))
    for source, other in zip(real["datasources"], played["datasources"], strict=True):
        secret, password = source.pop("secureJsonData", None), other.pop("secureJsonData", None)
        assert source == other
        assert (secret is None) == (password is None)
        if password is not None:
            assert password == {"password": f"$__file{{{DATA}/postgres/passwords/{source['user']}}}"}
    assert {key: value for key, value in real.items() if key != "datasources"} == {
        key: value for key, value in played.items() if key != "datasources"
    }
    real, played = (yaml.safe_load((at / "dashboards/livemon.yaml").read_text()) for at in (PROVISIONING, REHEARSED))
    assert played["providers"][0]["options"].pop("path") == f"{Path(DATA).parent}/boards"
    assert real["providers"][0]["options"].pop("path")
    assert real == played
    grafana, other = services["grafana"], services["grafana-rehearsal"]
    assert grafana["image"] == other["image"]
    assert set(grafana["environment"]) == set(other["environment"])
    user = re.search(r"^USER (\d+):", DOCKERFILE, re.M)[1]
    assert services["rehearsal"]["user"] == f"{user}:{user}"
    assert other["user"].startswith(f"{user}:"), "or it may not read the passwords, nor use the socket"


def test_the_socket_is_where_grafana_looks_for_it(services: dict[str, dict[str, Any]]):
    """Its name is made of the path of the data."""
    # All is imported before it is nobody: the checkout may lie where only root gets in.
    program = "import os, sys; from pathlib import Path; from monitor.store.cluster import Cluster\n"
    program += "os.setuid(int(sys.argv[2])); print(Cluster(Path(sys.argv[1])).choose_socket())"
    host = Path(services["grafana-rehearsal"]["environment"]["LIVEMON_POSTGRES_HOST"])
    assert host.parent == Path(services["rehearsal"]["environment"]["XDG_RUNTIME_DIR"])
    with tempfile.TemporaryDirectory(prefix="livemon-run-") as runtime:
        Path(runtime).chmod(0o777)
        done = subprocess.run(
            [sys.executable, "-c", program, DATA, str(os.geteuid() or NOBODY)], cwd=ROOT,
            env={"XDG_RUNTIME_DIR": runtime}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.stdout.strip() == f"{runtime}/{host.name}", done.stderr


@pytest.fixture
def volume() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="livemon-volume-"))
    folder.chmod(0o1777)  # as the image makes it
    yield folder
    shutil.rmtree(folder)


@pytest.mark.real
async def test_the_container_s_command_runs_on_a_read_only_disk_as_the_image_s_user(
    services: dict[str, dict[str, Any]], volume: Path, tmp_path: Path
):
    """The command line of compose in its own namespaces; then its health check, and Grafana's way to the database."""
    needs_namespaces()
    service, grafana = services["rehearsal"], services["grafana-rehearsal"]["environment"]
    config = str(ROOT / "docker/rehearsal/livemon.toml")
    command = [part.replace("/etc/livemon/livemon.toml", config) for part in service["command"]]
    command = ["--rooms=20" if part.startswith("--rooms=") else part for part in command]
    datasources = yaml.safe_load((REHEARSED / "datasources/livemon.yaml").read_text())["datasources"]
    logins = [
        word
        for source in datasources
        if "user" in source
        for word in (source["user"], source["secureJsonData"]["password"][8:-1])
    ]
    check = json.loads(re.search(r"HEALTHCHECK .*?CMD (\[.*?\])\n", DOCKERFILE, re.S)[1])
    with Container(volume, tmp_path, 10_001, command, service["environment"]) as played:
        async with asyncio.timeout(120):
            while played.run(*check).returncode != 0:
                played.must_live()
                await asyncio.sleep(0.5)
            found: list[str] = []
            while found != ["livemon_reader 20", "livemon_hall 20"]:  # every room, once the roster is in
                played.must_live()
                await asyncio.sleep(0.5)
                found = played.run("python", "-c", ASK, grafana["LIVEMON_POSTGRES_HOST"], *logins).stdout.splitlines()
        boards = Path(grafana["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
        board = json.loads((volume / boards.relative_to("/var/lib/livemon")).read_text())
        assert board["title"].startswith("【演练】")
        written = (volume / "rehearsal" / "livemon.toml").read_text()
        assert 'listen = "0.0.0.0:8790"' in written
        assert 'alertmanager_url = "http://alertmanager:9093"' in written
        assert played.run("touch", "/usr/written").stderr.strip().endswith("Read-only file system")
        assert played.run("grep", "CapEff", "/proc/1/status").stdout.split() == ["CapEff:", "0" * 16]
        for name in ("postgres/passwords/livemon_reader", "postgres/data"):
            assert (volume / "rehearsal/data" / name).stat().st_mode & 0o077 == 0
