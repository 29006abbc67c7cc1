"""What livemon.example.toml shows of own servers and cloud callbacks in comments is right when it is uncommented."""

import re
from pathlib import Path

import pytest

from collectors import KINDS
from collectors.collector import FeedRow
from collectors.hook import LiveHookRow
from collectors.server_hook import ServerHookRow
from collectors.servers.hls import Hls
from monitor import config

ROOT = Path(__file__).parent.parent
EXAMPLE = (ROOT / "livemon.example.toml").read_text(encoding="utf-8")
FROM, TO = "# Other media servers of halls.", "# Order platforms call us at"
SHOWN = EXAMPLE[EXAMPLE.index(FROM) : EXAMPLE.index(TO)]
CALLED = [kind for kind in KINDS if issubclass(kind, ServerHookRow | LiveHookRow)]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def tag(kind: type[FeedRow]) -> str:
    return str(kind.__struct_config__.tag)


def test_the_tables_in_comments_are_right(tmp_path: Path) -> None:
    """Each with the [[app]] that it names: of the feed's platform, its secret in a file."""
    text = "\n".join(re.findall(r"^# (\[\[\w+\]\]|[a-z_]+ = .*)$", SHOWN, re.MULTILINE))
    (tmp_path / "secrets").mkdir()
    for name in re.findall(r'"secrets/([\w-]+)"', text):
        (tmp_path / "secrets" / name).write_text("s3cret-word\n", encoding="utf-8")
        (tmp_path / "secrets" / name).chmod(0o600)
    path = tmp_path / "livemon.toml"
    path.write_text(f'hooks_listen = "127.0.0.1:8791"\n{text}\n', encoding="utf-8")
    feeds = {tag(type(feed)): feed for feed in config.load(path).feeds}
    servers = {tag(kind) for kind in KINDS if kind.__module__.startswith("collectors.servers.")}
    assert set(feeds) == (servers | set(map(tag, CALLED))) - {"nginx_rtmp"}


@pytest.mark.parametrize("kind", [*CALLED, Hls], ids=tag)
def test_each_setting_of_its_own_has_a_comment_in_both_languages(kind: type[FeedRow]) -> None:
    own = set(kind.__struct_encode_fields__) - set(FeedRow.__struct_encode_fields__)
    start = SHOWN.index(f'# kind = "{tag(kind)}"')
    table = SHOWN[start : SHOWN.index("\n\n", start)]
    told = dict(re.findall(r"^# ([a-z_]+) = [^#\n]*(?:# (.*))?$", table, re.MULTILINE))
    for key in sorted(own - {"app"} | {"kind"}):
        comment = told[key]
        assert CHINESE.search(comment) or "8791/hooks/" in comment, f"{tag(kind)}: {key}"
        assert re.search(r"[a-z]{3,} [a-z]{2,}", comment), f"{tag(kind)}: {key}"
