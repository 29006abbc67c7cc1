"""The event's container as compose runs it, without Docker: first `migrate`, then `run`, against a real PostgreSQL."""

import asyncio
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from monitor.store import embedded
from tests.container import Container, needs_namespaces
from tests.test_compose import DOCKERFILE, NOBODY, compose, installation, server, with_passwords  # noqa: F401 fixtures
from tests.test_compose_rehearsal import volume  # noqa: F401


@pytest.mark.real
async def test_migrate_then_run_with_the_container_s_config_and_secrets_on_a_read_only_disk(
    installation: Path, server: embedded.Server, volume: Path, tmp_path: Path  # noqa: F811
):  # fmt: skip
    needs_namespaces()
    with_passwords(installation, server)
    services: dict[str, dict[str, Any]] = json.loads(compose("config", "--format", "json").stdout)["services"]
    (tmp_path / "etc").symlink_to(installation / "docker" / "etc")
    (tmp_path / "secrets").mkdir()
    for secret in services["livemon"]["secrets"]:
        kept = installation / "secrets" / "livemon" / secret["source"]
        subprocess.run(["cp", "-a", kept, tmp_path / "secrets"], check=True)
    (tmp_path / "postgres").symlink_to(server.socket)
    environment = {"LIVEMON_CONFIG": "/var/lib/etc/livemon.toml"}
    hosts = ["postgres"]
    with Container(volume, tmp_path, NOBODY, services["migrate"]["command"], environment, hosts) as migrate:
        code = await asyncio.to_thread(migrate.process.wait, 60)
        assert code == 0, migrate.log.read_text()
    check = json.loads(re.search(r"HEALTHCHECK .*?CMD (\[.*?\])\n", DOCKERFILE, re.S)[1])
    with Container(volume, tmp_path, NOBODY, services["livemon"]["command"], environment, hosts) as livemon:
        async with asyncio.timeout(60):
            healthy, seen = False, ""
            while not healthy or "示例主播二" not in seen:
                livemon.must_live()
                await asyncio.sleep(0.3)
                healthy = livemon.run(*check).returncode == 0
                seen = livemon.run("livemon", "sql", "SELECT anchor FROM room_now").stdout
        os.kill(livemon.children()[0], signal.SIGTERM)  # as `docker compose stop` does
        assert await asyncio.to_thread(livemon.process.wait, 30) == 0, livemon.log.read_text()
