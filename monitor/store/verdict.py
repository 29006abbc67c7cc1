"""What an error of PostgreSQL means, by its SQLSTATE, and so what becomes of the batch (reliability.md section 2).

Nothing unknown is ever dropped: what no line names is held and tried again, loudly.
"""

from enum import StrEnum

import asyncpg


class Verdict(StrEnum):
    """AWAY: the link or the server is gone; HELD: it is there but will not now; POISON: a row can never go in."""

    AWAY = "away"
    READ_ONLY = "read only"
    DISK_FULL = "disk full"
    BUSY = "busy"
    DEPLOYMENT = "deployment"
    NO_PARTITION = "no partition"
    POISON = "poison"
    UNKNOWN = "unknown"


STATES = {
    "25006": Verdict.READ_ONLY,
    "53100": Verdict.DISK_FULL,
    "57014": Verdict.BUSY,  # statement timeout
    "55P03": Verdict.BUSY,  # lock timeout
    "40001": Verdict.BUSY,
    "40P01": Verdict.BUSY,
    "22021": Verdict.POISON,  # a byte that is no character here: NUL
    "22P05": Verdict.POISON,
    "22P02": Verdict.POISON,
    "22003": Verdict.POISON,  # out of range
    "22001": Verdict.POISON,  # too long
    "22007": Verdict.POISON,
    "22008": Verdict.POISON,
    "23502": Verdict.POISON,  # NULL where none may be
    "23505": Verdict.POISON,  # a key twice; event ids are handled by ON CONFLICT before this
    "23514": Verdict.POISON,  # a check; without a constraint's name it is a missing partition
    "54000": Verdict.POISON,  # an index row too large
}
CLASSES = {
    "08": Verdict.AWAY,
    "57": Verdict.AWAY,  # admin shutdown, crash shutdown, cannot connect now
    "53": Verdict.AWAY,  # out of connections or memory
    "58": Verdict.BUSY,  # a system error below the server
    "42": Verdict.DEPLOYMENT,  # no such table, no right to it
    "28": Verdict.DEPLOYMENT,  # the password
    "3D": Verdict.DEPLOYMENT,
    "3F": Verdict.DEPLOYMENT,
}


def verdict(error: BaseException) -> Verdict:
    """What `error` means. Of asyncpg, encoding errors are builtin types, and its DataError is an InterfaceError."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state == "23514" and not error.constraint_name and "no partition" in str(error):
            return Verdict.NO_PARTITION
        return STATES.get(state) or CLASSES.get(state[:2]) or Verdict.UNKNOWN
    if isinstance(error, OSError | TimeoutError | asyncpg.exceptions.ClientConfigurationError):
        return Verdict.AWAY
    if isinstance(error, OverflowError | TypeError | ValueError):  # UnicodeError, asyncpg's own DataError among them
        return Verdict.POISON
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return Verdict.AWAY
    return Verdict.UNKNOWN
