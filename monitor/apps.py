"""Our applications on the platforms: as the config names them, and their secrets as the files hold them now."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import msgspec

from collectors.hook import App
from monitor.secret import read_secret


class SecretFiles(tuple[Path, ...]):
    """One file, or the new and the old one while a secret is rotated: what either signs is believed."""

    WANTED: ClassVar[str] = 'a path in quotes, or a list of two while a secret is rotated, as ["new", "old"]'


class AppTable(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An `[[app]]` table."""

    name: str
    platform: str
    key: str = ""
    secret_file: SecretFiles
    token_file: Path | None = None  # of platforms that verify with a token beside the secret


def read_apps(tables: Iterable[AppTable]) -> dict[str, App]:
    """Every application by its name, with the secrets that its files hold at this instant. Raises SecretError."""
    return {
        table.name: App(
            table.name,
            table.platform,
            table.key,
            tuple(read_secret(file).reveal().encode() for file in table.secret_file),
            b"" if table.token_file is None else read_secret(table.token_file).reveal().encode(),
        )
        for table in tables
    }
