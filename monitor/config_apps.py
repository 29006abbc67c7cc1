"""Whether an application has what the kinds that name it verify with: a key, a token, secrets of the right shape."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from monitor.config_shape import Complaint, Row
from monitor.problem import quoted
from monitor.secret import SecretError, read_secret


def complaints(
    feeds: list[Row], apps: list[Row], kinds: Mapping[str, type], place: Callable[[str], Path]
) -> Iterator[Complaint]:
    """Without these every true delivery would be refused, and nobody would know why. `place` finds a file."""
    named = {app["name"]: (at, app) for at, app in apps if "name" in app}
    for _, feed in feeds:
        if feed.get("app") in named:
            at, app = named[feed["app"]]
            yield from _app(at, app, kinds[feed["kind"]], place)


def _app(
    at: tuple[str | int, ...], app: dict[str, Any], kind: type, place: Callable[[str], Path]
) -> Iterator[Complaint]:
    tag, name = kind.__struct_config__.tag, quoted(app["name"])  # type: ignore[attr-defined]
    if (key_is := getattr(kind, "KEY_OF_APP", "")) and not app.get("key", "").strip():
        yield at, f"app {name} has no key, and {tag} verifies with it", f'add key = "...", {key_is}'
    if (token_is := getattr(kind, "TOKEN_OF_APP", "")) and not app.get("token_file"):
        todo = f"write {token_is} into a file, chmod 600, and name it in token_file"
        yield (*at, "token_file"), f"app {name} has no token_file, and {tag} verifies with it", todo
    fault: Callable[[bytes], str] | None = getattr(kind, "secret_fault", None)
    files = app.get("secret_file", [])
    for file in (files if isinstance(files, list) else [files]) if fault is not None else ():
        try:
            secret = read_secret(place(file)).reveal().encode()
        except SecretError:
            continue  # it is said where all files are looked at
        if fault is not None and (todo := fault(secret)):
            yield (*at, "secret_file"), f"secret_file {quoted(file)} opens nothing that {tag} could bring", todo
