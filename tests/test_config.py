"""A config is read whole or refused with every error: one bad file per message, and the message word for word."""

import os
import subprocess
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest

from collectors.servers.nginx_rtmp import NginxRtmp
from monitor import config, config_urls
from monitor.apps import read_apps
from monitor.config import Config, ConfigError
from monitor.config_alerts import Match, Robot, Shift, Texts
from monitor.config_sense import host_and_port
from monitor.rates import Rate
from monitor.secret import BYTES_MAX, Secret, SecretError, read_secret

HERE = Path(__file__).parent / "config"
ROOT = Path(__file__).parent.parent
BAD = sorted(path.stem for path in (HERE / "bad").glob("*.toml"))
GOOD = sorted(path.stem for path in (HERE / "good").glob("*.toml"))


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    return str(caught.value)


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "livemon.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_word_for_word(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "bad")
    assert refused(Path(f"{name}.toml")) + "\n" == Path(f"{name}.txt").read_text(encoding="utf-8")


def test_every_bad_file_has_its_message_and_no_message_shows_a_password() -> None:
    assert sorted(path.stem for path in (HERE / "bad").glob("*.txt")) == BAD
    assert not any("canary" in path.read_text(encoding="utf-8") for path in (HERE / "bad").glob("*.txt"))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_read(name: str) -> None:
    assert isinstance(config.load(HERE / "good" / f"{name}.toml"), Config)


def test_all_keys_arrive_as_what_they_mean() -> None:
    loaded = config.load(HERE / "good" / "everything.toml")
    assert loaded.data_dir == ROOT / "var"
    assert loaded.roster == HERE / "good" / "roster.csv"
    assert loaded.address == ("::1", 8790)
    assert loaded.zone.key == "Asia/Urumqi"
    assert loaded.grace_s == 1.0
    assert loaded.hooks_address == ("::1", 8791)
    assert loaded.proxies == [ip_network("127.0.0.1/32"), ip_network("fd00:7::/64")]
    assert loaded.rates == [
        Rate(coin="抖币", minor_units=10, currency="USD", from_at=datetime(2026, 11, 18, 16, tzinfo=UTC)),
        Rate(coin="微信豆", minor_units=100, coins=7, from_at=datetime(2026, 11, 19, tzinfo=UTC)),
    ]
    assert loaded.rates[0].from_at.tzinfo is UTC
    assert loaded.event is not None
    assert loaded.event.starts_at == datetime(2026, 11, 18, 16, tzinfo=UTC)
    assert loaded.event.ends_at == datetime(2026, 11, 25, 16, tzinfo=UTC)
    assert loaded.event.ends_at.tzinfo is UTC
    assert loaded.feeds == [
        NginxRtmp(name="一号馆", url="http://[fd00::7]:8080/stat", hall="一号馆", rooms=["live/a", "直播/一"]),
        NginxRtmp(
            name="hall-b",
            url="https://rtmp.example.cn/stat?key=1",
            interval_s=10.0,
            silence_s_max=30.0,
            viewers=False,
            platform="relay",
        ),
    ]


def test_an_empty_file_means_the_defaults_beside_it(tmp_path: Path) -> None:
    assert config.load(written(tmp_path, "")) == Config(data_dir=tmp_path / "var")


def test_the_example_is_read_and_shows_the_defaults() -> None:
    example = config.load(ROOT / "livemon.example.toml")
    plain = Config(data_dir=ROOT / "var")
    keys = set(Config.__struct_fields__) - {"event", "feeds"}
    assert example.hooks_address is None
    assert {key: getattr(example, key) for key in keys} == {key: getattr(plain, key) for key in keys}
    [feed] = example.feeds
    assert isinstance(feed, NginxRtmp)


def test_a_text_with_bom_and_carriage_returns_is_read_and_its_lines_are_counted(tmp_path: Path) -> None:
    assert config.load(written(tmp_path, b"\xef\xbb\xbfgrace_s = 60\r\n")).grace_s == 60
    assert ":3: grace_s is 0;" in refused(written(tmp_path, b'\xef\xbb\xbf# a\r\nlisten = "a:1"\r\ngrace_s = 0\r\n'))


def test_a_text_in_another_encoding_is_refused_at_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, '# a\n[event]\nname = "辽宁网红周"\n'.encode("gb18030"))
    assert refused(path) == f"{path}:3: is not UTF-8 text; save the file as UTF-8"
    assert "is not UTF-8 text" in refused(written(tmp_path, "grace_s = 1".encode("utf-16")))


def test_what_is_no_config_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "no-such.toml"
    todo = "name the file by --config or LIVEMON_CONFIG, or begin with a copy of livemon.example.toml"
    assert refused(path) == f"{path}:1: there is no such file; {todo}"
    assert "there is no such file" in refused(tmp_path)
    path = written(tmp_path, b"#" * (config.BYTES_MAX + 1))
    assert refused(path) == f"{path}:1: is larger than 16_777_216 bytes; this is not a config file"


def test_a_huge_whole_number_is_an_error_line_and_no_crash(tmp_path: Path) -> None:
    assert ":1: not TOML: " in refused(written(tmp_path, f"spool_bytes_max = {'9' * 5000}"))
    assert ":1: spool_bytes_max is a huge number; " in refused(written(tmp_path, f"spool_bytes_max = {'9' * 50}"))


def test_hostile_text_in_a_value_cannot_write_lines_of_its_own(tmp_path: Path) -> None:
    said = refused(written(tmp_path, r'timezone = "a\nlivemon.toml:1: \u001b[2J fine\u202e"'))
    assert "\n" not in said
    assert said.isprintable()


def test_the_config_is_the_one_given_else_of_the_environment_else_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIVEMON_CONFIG", raising=False)
    assert config.find() == Path("livemon.toml")
    monkeypatch.setenv("LIVEMON_CONFIG", "event.toml")
    assert config.find() == Path("event.toml")
    assert config.find("given.toml") == Path("given.toml")


@pytest.mark.parametrize(("mode", "fine"), [(0o600, True), (0o400, True), (0o640, False), (0o644, False)])
def test_a_secret_file_must_be_private(tmp_path: Path, mode: int, fine: bool) -> None:
    secret = tmp_path / "pg"
    secret.write_text("canary\n")
    secret.chmod(mode)
    path = written(tmp_path, 'dsn = "postgresql://u@db/x"\ndsn_password_file = "pg"')
    if fine:
        assert config.load(path).password() == Secret("canary")
        assert config.load(path).password("reader_dsn") is None
    else:
        what = f"dsn_password_file 'pg' can be read by others (mode {mode:04o})"
        assert refused(path) == f"{path}:2: {what}; chmod 600 {secret}"


APP = """
[[app]]
name = "doudian-main"
platform = "doudian"
key = "7"
secret_file = {files}
token_file = "token"
"""


def kept_secret(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    (folder / name).chmod(0o600)


def test_an_app_has_one_secret_or_two_and_they_are_read_when_asked_for(tmp_path: Path) -> None:
    for name in ("new", "old", "token"):
        kept_secret(tmp_path, name, f"canary-{name}\n")
    one = config.load(written(tmp_path, APP.format(files='"new"')))
    two = config.load(written(tmp_path, APP.format(files='["new", "old"]')))
    assert read_apps(one.apps)["doudian-main"].secrets == (b"canary-new",)
    app = read_apps(two.apps)["doudian-main"]
    assert (app.key, app.secrets, app.token) == ("7", (b"canary-new", b"canary-old"), b"canary-token")
    kept_secret(tmp_path, "old", "密码")
    assert read_apps(two.apps)["doudian-main"].secrets == (b"canary-new", "密码".encode())
    assert "canary" not in repr(two) + repr(app)


OPEN_API = """
account_key_file = "accounts"

[[app]]
name = "kuai"
platform = "kwaixiaodian"
key = "7"
secret_file = "message"
app_secret_file = ["app-new", "app-old"]
sign_secret_file = "sign"
service_id = "12"
api_url = "http://127.0.0.1:8080/api"
auth_url = "http://fake:8080"
calls_per_s = 5

[app.name_calls_per_s]
"open.order.cursor.list" = 0.5

[[app]]
name = "own"
platform = "doudian"
self_use = true
"""


def test_an_app_says_how_its_open_interface_is_reached(tmp_path: Path) -> None:
    for name in ("message", "app-new", "app-old", "sign"):
        kept_secret(tmp_path, name, f"canary-{name}")
    kept_secret(tmp_path, "accounts", "00" * 32)
    loaded = config.load(written(tmp_path, OPEN_API))
    assert loaded.account_key_file == tmp_path / "accounts"
    kuai, own = loaded.apps
    assert (kuai.api_url, kuai.auth_url, kuai.calls_per_s) == ("http://127.0.0.1:8080/api", "http://fake:8080", 5.0)
    assert kuai.name_calls_per_s == {"open.order.cursor.list": 0.5}
    assert (own.self_use, own.secret_file, own.calls_per_s, own.name_calls_per_s) == (True, (), None, {})
    apps = read_apps(loaded.apps)
    assert apps["kuai"].app_secrets == (b"canary-app-new", b"canary-app-old")
    assert (apps["kuai"].secrets, apps["kuai"].sign_secrets) == ((b"canary-message",), (b"canary-sign",))
    assert (apps["kuai"].service_id, apps["own"].secrets, apps["own"].app_secrets) == ("12", (), ())
    assert "canary" not in repr(loaded) + repr(apps)


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("http://10.0.0.7:8080", True),
        ("http://[fd00::7]", True),
        ("http://localhost:80/x", True),
        ("https://8.8.8.8", True),
        ("http://8.8.8.8", False),
        ("http://api.example.cn", False),
        ("http://[2001:4860:4860::8888]", False),
        ("ftp://10.0.0.7", False),
    ],
)
def test_tokens_leave_in_clear_to_machines_of_our_own_alone(tmp_path: Path, url: str, fine: bool) -> None:
    path = written(tmp_path, f'[[app]]\nname = "a"\nplatform = "b"\nself_use = true\napi_url = "{url}"')
    if fine:
        assert config.load(path).apps[0].api_url == url
    else:
        assert f"{path}:5: api_url " in refused(path)


def test_each_of_two_secret_files_is_looked_at(tmp_path: Path) -> None:
    for name in ("new", "token"):
        kept_secret(tmp_path, name, "canary")
    path = written(tmp_path, APP.format(files='["new", "old"]'))
    assert refused(path) == f"{path}:6: secret_file 'old' does not exist; write the secret into it, then chmod 600"


VERIFYING = """
hooks_listen = "127.0.0.1:8791"
[[app]]
name = "main"
platform = "{platform}"
key = "7"
secret_file = ["new", "old"]
token_file = "token"
[[feed]]
kind = "{kind}"
name = "shop"
app = "main"
"""


@pytest.mark.parametrize(
    ("kind", "platform", "good", "bad"),
    [
        ("wechat_shop", "wechat", "canary7890123456789012345678901234567890123", "canary78901234567890123456789012"),
        ("kwaixiaodian", "kwaixiaodian", "Y2FuYXJ5Nzg5MDEyMzQ1Ng==", "canary7890123456"),
    ],
)
def test_a_secret_that_could_open_nothing_is_said_before_its_platform_is_refused(
    tmp_path: Path, kind: str, platform: str, good: str, bad: str
) -> None:
    kept_secret(tmp_path, "token", "canary")
    kept_secret(tmp_path, "new", good)
    kept_secret(tmp_path, "old", good)
    path = written(tmp_path, VERIFYING.format(kind=kind, platform=platform))
    assert config.load(path).apps[0].name == "main"
    kept_secret(tmp_path, "old", bad)
    said = refused(path)
    assert said.startswith(f"{path}:7: secret_file 'old' opens nothing that {kind} could bring; it is the ")
    assert "canary" not in said
    assert "\n" not in said


def test_a_key_file_must_hold_a_key(tmp_path: Path) -> None:
    path = written(tmp_path, 'spool_key_file = "spool.key"')
    kept_secret(tmp_path, "spool.key", "canary")
    assert refused(path).startswith(f"{path}:1: spool_key_file 'spool.key' line 1 is not a key of 32 bytes")
    assert "canary" not in refused(path)
    kept_secret(tmp_path, "spool.key", subprocess.check_output(("openssl", "rand", "-base64", "32"), text=True))
    assert config.load(path).spool_key_file == tmp_path / "spool.key"


def test_a_link_to_a_secret_is_as_private_as_what_it_points_to(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("canary")
    link.symlink_to(target)
    target.chmod(0o644)
    with pytest.raises(SecretError, match="can be read by others"):
        read_secret(link)
    target.chmod(0o600)
    assert read_secret(link).reveal() == "canary"


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"canary", "canary"),
        (b"canary\n", "canary"),
        (b"canary\r\n", "canary"),
        (b"canary\n\n", "canary\n"),
        (b" canary ", " canary "),
        (b"\xef\xbb\xbfcanary", "canary"),
        ("密码".encode(), "密码"),
    ],
)
def test_one_newline_at_the_end_of_a_secret_goes(tmp_path: Path, content: bytes, secret: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    assert read_secret(path).reveal() == secret


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"can\0ary", "holds a NUL byte"),
        (b"\xff\xfecanary", "is not UTF-8 text"),
        (b"canary" * BYTES_MAX, "is larger than"),
    ],
)
def test_a_secret_file_that_holds_none_is_refused_without_showing_it(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SecretError, match=said) as caught:
        read_secret(path)
    assert "canary" not in str(caught.value)


def test_a_secret_that_is_a_folder_or_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, said in {tmp_path: "cannot be read: Is a directory", tmp_path / "pipe": "is not a file"}.items():
        with pytest.raises(SecretError, match=said):
            read_secret(path)


def test_a_secret_shows_itself_to_nobody_who_did_not_ask() -> None:
    secret = Secret("canary")
    assert {str(secret), repr(secret), f"{secret:>9}", repr([secret])} == {"***", "[***]"}
    assert (secret == "canary", secret == Secret("canary")) == (False, True)
    with pytest.raises(TypeError):
        msgspec.json.encode({"secret": secret})


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/stat",
        "https://10.0.0.7/stat",
        "http://rtmp:80",
        "http://[::1]:8080/stat?a=b",
        "http://服务器.example.cn/stat",
    ],
)
def test_an_own_server_may_stand_anywhere(url: str) -> None:
    assert config_urls.url_complaint(url) is None


@pytest.mark.parametrize("address", ["", "8790", ":8790", "a:", "a:0", "a:65536", "a b:1", "::1:8790", "a:1\n", "a:１"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not host:port"):
        host_and_port(address)


def test_robots_and_shifts_arrive_as_what_they_mean(tmp_path: Path) -> None:
    url = "https://oapi.dingtalk.com/robot/send?access_token=canary"
    for name, text in {"url": url, "json": "json://canary", "sign": "SECcanary"}.items():
        (tmp_path / name).write_text(text + "\n")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "contacts.csv").write_text("id,name\nzhang,张三\n")
    content = """
        public_url = "https://live.example.cn"
        contacts = "contacts.csv"
        [[robot]]
        name = "hall-3"
        kind = "dingtalk"
        url_file = "url"
        secret_file = "sign"
        match = { hall = "3", severity = ["critical", "warning"] }
        fallback = "rest"
        [[robot]]
        name = "rest"
        kind = "apprise"
        url_file = "json"
        language = "en"
        [[shift]]
        name = "night"
        starts = "20:00"
        ends = "08:00"
        duty = ["zhang"]
    """
    loaded = config.load(written(tmp_path, content))
    match = Match(hall=Texts(["3"]), severity=Texts(["critical", "warning"]))
    sign = tmp_path / "sign"
    hall = Robot(
        name="hall-3", kind="dingtalk", url_file=tmp_path / "url", secret_file=sign, match=match, fallback="rest"
    )
    assert loaded.robots == [hall, Robot(name="rest", kind="apprise", url_file=tmp_path / "json", language="en")]
    assert loaded.shifts == [Shift(name="night", starts="20:00", ends="08:00", duty=["zhang"])]
    assert loaded.contacts == tmp_path / "contacts.csv"
    assert "canary" not in repr(loaded)


def test_one_robot_under_two_names_is_refused(tmp_path: Path) -> None:
    for name in ("url", "copy"):
        (tmp_path / name).write_text("https://oapi.dingtalk.com/robot/send?access_token=canary\n")
        (tmp_path / name).chmod(0o600)
    rows = (f'[[robot]]\nname = "{name}"\nkind = "dingtalk"\nurl_file = "{name}"\n' for name in ("url", "copy"))
    said = refused(written(tmp_path, "".join(rows)))
    assert ":8: its URL is that of the robot 'url', and both would use up one limit; " in said
    assert "canary" not in said


def test_an_url_of_a_robot_that_is_none_is_told_without_showing_it(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("oapi.dingtalk.com/robot/send?access_token=canary")
    (tmp_path / "url").chmod(0o600)
    said = refused(written(tmp_path, '[[robot]]\nname = "a"\nkind = "dingtalk"\nurl_file = "url"\n'))
    todo = "write the robot's webhook URL into it, one line, as its settings show it"
    assert said == f"{tmp_path / 'livemon.toml'}:4: the URL in 'url' has no scheme; {todo}"
