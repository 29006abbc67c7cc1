"""Of a config that is read again each setting is followed, or is said to wait for the next start; none is lost."""

import logging
from pathlib import Path

import msgspec
import pytest

from monitor.config import Config
from monitor.reload import FIXED, FOLLOWED, taken_over

ASKED_ANEW = {  # by whoever uses them: commands, or each connection
    "dsn_password_file", "migrate_dsn", "migrate_dsn_password_file", "reader_dsn", "reader_dsn_password_file",
    "prometheus_url", "retention",
}  # fmt: skip


def test_every_setting_has_its_place() -> None:
    assert set(Config.__struct_fields__) == {*FIXED, *FOLLOWED} | ASKED_ANEW
    assert not {*FIXED} & {*FOLLOWED}


def test_what_is_followed_changes_and_what_is_not_is_said(caplog: pytest.LogCaptureFixture) -> None:
    present = Config(data_dir=Path("/a"), grafana_url="https://old.example")
    read = msgspec.structs.replace(present, grafana_url="https://new.example", listen="127.0.0.1:1", public_url="x")
    with caplog.at_level(logging.WARNING):
        now = taken_over(present, read)
    assert (now.grafana_url, now.listen, now.public_url) == ("https://new.example", present.listen, None)
    assert "listen, public_url" in caplog.text
