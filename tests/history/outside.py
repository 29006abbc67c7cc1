"""The config of a command that asks an outside database."""

from pathlib import Path

from tests.postgres import FreshDatabase


def configured(database: FreshDatabase, folder: Path, more: str = "") -> Path:
    """A config file for this database, with its passwords in files beside it. `more` are further lines."""
    config, lines = folder / "livemon.toml", []
    for key, role in (("dsn", "writer"), ("reader_dsn", "reader")):
        login = f"livemon_{role}"
        (folder / login).write_text(database.server.password(login))
        (folder / login).chmod(0o600)
        lines += [f'{key} = "postgresql://{login}@/{database.name}?host={database.server.socket}"']
        lines += [f'{key}_password_file = "{login}"']
    config.write_text("\n".join([*lines, more]))
    return config
