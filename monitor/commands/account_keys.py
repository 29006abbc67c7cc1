"""The account keys for a command, which must be run by the user of the monitor: else it could read nothing of ours."""

import os
import pwd

from monitor.accounts.vault import ACCOUNT_KEY
from monitor.commands import CommandError
from monitor.config import Config
from monitor.keys import Key, keys_of


def account_keys(configured: Config, user: int | None = None) -> list[Key]:
    """The newest first. `user`: who we are, if not who runs this process."""
    user = os.geteuid() if user is None else user
    folder = configured.data_dir
    if folder.is_dir() and (owner := folder.stat().st_uid) != user:
        raise CommandError(
            f"livemon account: {folder} belongs to {_name(owner)}: run this as that user (sudo -u {_name(owner)} ...), "
            "or the monitor cannot read what it is given"
        )
    return keys_of(configured.account_key_file, folder / ACCOUNT_KEY)


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"
