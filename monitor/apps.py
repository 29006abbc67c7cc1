"""Our applications on the platforms: as the config names them, and their secrets as the files hold them now."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from collectors.hook import App
from monitor.secret import read_secret


class SecretFiles(tuple[Path, ...]):
    """One file, or the new and the old one while a secret is rotated: what either signs is believed."""

    WANTED: ClassVar[str] = 'a path in quotes, or a list of two while a secret is rotated, as ["new", "old"]'


CallsPerS = Annotated[float, msgspec.Meta(ge=0.001, le=10_000)]


class AppTable(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An `[[app]]` table."""

    name: str
    platform: str
    key: str = ""
    secret_file: SecretFiles = SecretFiles()  # left out only where self_use
    token_file: Path | None = None  # of platforms that verify with a token beside the secret
    app_secret_file: SecretFiles = SecretFiles()  # for authorising, where secret_file opens pushes alone
    sign_secret_file: SecretFiles = SecretFiles()  # for signing calls, where that is yet another one
    service_id: str = ""  # of platforms where shops let in a service of the app
    self_use: bool = False  # each shop has a key of its own: they come with `livemon account import`
    api_url: str = (
        ""  # the roots of the platform's interface and of its authorisation, where they are others than usual
    )
    auth_url: str = ""
    calls_per_s: CallsPerS | None = None  # at most so many calls a second; left out: the platform's own rule
    name_calls_per_s: dict[str, CallsPerS] = {}  # of single methods or paths


def read_apps(tables: Iterable[AppTable]) -> dict[str, App]:
    """Every application by its name, with the secrets that its files hold at this instant. Raises SecretError."""
    return {
        table.name: App(
            table.name,
            table.platform,
            table.key,
            _secrets(table.secret_file),
            b"" if table.token_file is None else read_secret(table.token_file).reveal().encode(),
            _secrets(table.app_secret_file),
            _secrets(table.sign_secret_file),
            table.service_id,
        )
        for table in tables
    }


def _secrets(files: SecretFiles) -> tuple[bytes, ...]:
    return tuple(read_secret(file).reveal().encode() for file in files)
