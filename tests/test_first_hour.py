"""What docs/first-hour.md tells people to write is right: each file in it is read by what will read it."""

import re
import subprocess
from pathlib import Path
from zoneinfo import ZoneInfo

from collectors import KINDS
from collectors.hook import HookRow, OrderSocketRow
from monitor import config
from monitor.cli import command_names
from monitor.roster_file import read_roster_file
from monitor.schedule_file import read_schedule_file

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "first-hour.md").read_text()


HOOKS_AT = "server_name hooks.example.cn"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.M | re.S)


def test_the_config_is_right(tmp_path: Path):
    written, hooks = blocks("toml")
    (tmp_path / "livemon.toml").write_text(written)
    (tmp_path / "roster.csv").write_text(blocks("csv")[0])
    assert [feed.name for feed in config.load(tmp_path / "livemon.toml").feeds] == ["hall-a"]
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "erp").write_text("s3cret")
    (tmp_path / "secrets" / "erp").chmod(0o600)
    (tmp_path / "livemon.toml").write_text(hooks.replace("[[app]]", f"{written}\n[[app]]", 1))
    both = config.load(tmp_path / "livemon.toml")
    assert [feed.name for feed in both.feeds] == ["hall-a", "erp"]
    assert both.hooks_url == f"https://{HOOKS_AT.split()[1]}"


def test_every_kind_of_orders_is_told_where_to_register():
    told = set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.M))
    kinds = {kind.__struct_config__.tag for kind in KINDS if issubclass(kind, HookRow | OrderSocketRow)}
    assert kinds - {"push_json"} <= told


def test_the_roster_and_the_schedule_are_right_and_speak_of_the_same_rooms():
    roster = read_roster_file(blocks("csv")[0].encode(), "roster.csv")
    schedule = read_schedule_file(blocks("csv")[1].encode(), "schedule.csv", ZoneInfo("Asia/Shanghai"))
    assert (roster.problems, schedule.problems) == ((), ())
    rooms = {room.external_id for room in roster.rooms}
    assert rooms == {slot.external_id for slot in schedule.slots} == {"live/room1", "live/room2"}


def test_the_roster_of_the_containers_is_right():
    roster = read_roster_file((ROOT / "docker" / "etc" / "roster.csv").read_bytes(), "roster.csv")
    assert roster.problems == ()
    assert len(roster.rooms) == 2


def test_nginx_accepts_the_snippet(tmp_path: Path):
    snippet, hooks = blocks("nginx")
    assert HOOKS_AT not in snippet
    assert HOOKS_AT in hooks  # tests/servers/test_hook_proxies.py runs it, and Caddy's
    rest = f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
    modules = "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;\n"
    http = snippet.replace("http {", f"http {{ access_log off; {places(tmp_path)}")
    (tmp_path / "nginx.conf").write_text(modules + rest + http)
    done = subprocess.run(["/usr/sbin/nginx", "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def places(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def test_every_command_exists():
    commands = set(re.findall(r"\blivemon (?=([a-z]+))", "\n".join(blocks("sh"))))
    assert {"check", "run", "coverage"} <= commands - {"livemon"}
    assert commands - {"livemon"} <= set(command_names())


def test_files_and_targets_that_are_named_exist():
    for name in re.findall(r"`((?:docker|docs|prometheus|secrets)/[\w./-]+)`", GUIDE):
        assert name.startswith("secrets/") or (ROOT / name).exists(), name
    for name in (".env.example", "docker/make-secrets.sh"):
        assert name in GUIDE
        assert (ROOT / name).exists()
    assert re.search(r"^\.venv/\.ready:", (ROOT / "Makefile").read_text(), re.M)
