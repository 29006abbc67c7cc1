"""How everything connects to PostgreSQL: which login for which work, with which password, from where."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import asyncpg
import msgspec

from monitor.secret import read_secret
from monitor.zone import in_postgresql

SQL = Path(__file__).resolve().parents[2] / "sql" / "session"

if TYPE_CHECKING:
    from monitor.store.embedded import Server

type Connection = asyncpg.Connection[asyncpg.Record]
Role = Literal["owner", "writer", "reader"]

CONNECT_S_MAX = 10.0
# The server must notice soon that we are gone: a black hole in mid-COPY otherwise holds a batch's key for hours.
KEEPALIVES = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}


class DatabaseError(Exception):
    """There is no way to the database as configured; the message says what to do."""


def refusal(platform: str) -> str | None:
    """Why there is no embedded server on this platform of `sys.platform`; None where there is."""
    if platform == "win32":
        return "the embedded PostgreSQL is for Linux and macOS: on Windows, set dsn in the config to a server's"
    return None


class Login(msgspec.Struct, frozen=True):
    """A DSN without the password, and the password when it is known apart from it."""

    dsn: str
    password: str | None = None
    as_reader: bool = False  # the writer's login, to act as the reader

    def shown(self, *, password: bool = False) -> str:
        """The DSN as a person may read it, or, with `password`, as a program can use it."""
        parts = urlsplit(self.dsn)
        options = parse_qsl(parts.query, keep_blank_values=True)
        secret = parts.password if self.password is None else quote(self.password, safe="")
        if not password:
            secret = None if secret is None else "***"
            options = [(name, "***" if name in ("password", "sslpassword") else value) for name, value in options]
        login = f"{parts.username or ''}{'' if secret is None else f':{secret}'}"
        host = parts.netloc.rpartition("@")[2]
        query = urlencode(options, safe="/*,:", quote_via=quote)
        return f"{parts.scheme}://{f'{login}@' if login else ''}{host}{parts.path}{f'?{query}' if query else ''}"


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """Where the database is. Without `dsn` it is the embedded server under `data_dir`."""

    data_dir: Path
    dsn: str | None = None
    dsn_password_file: Path | None = None
    migrate_dsn: str | None = None
    migrate_dsn_password_file: Path | None = None
    reader_dsn: str | None = None
    reader_dsn_password_file: Path | None = None
    timezone: str = "UTC"  # in which readers see days begin

    @classmethod
    def of(cls, config: object) -> "Database":
        """From whatever has attributes of these names, as the config does."""
        return msgspec.convert(config, cls, from_attributes=True)

    @property
    def embedded(self) -> bool:
        return self.dsn is None

    @asynccontextmanager
    async def reachable(self) -> "AsyncIterator[Server | None]":
        """Within the block the embedded server runs: the one that is there, or one started for as long."""
        if not self.embedded:
            yield None
            return
        if (sentence := refusal(sys.platform)) is not None:
            raise DatabaseError(sentence)
        from monitor.store import embedded  # not at the top: it needs what Windows does not have
        from monitor.store.installation import EmbeddedError

        try:
            server = await embedded.start(self.data_dir)
        except EmbeddedError as error:
            raise DatabaseError(str(error)) from error
        try:
            yield server
        finally:
            await server.release()

    def login(self, role: Role) -> Login:
        """Read anew at every connect: passwords rotate, and the embedded server's socket may move."""
        if self.dsn is None:
            return self._embedded_login(role)
        if role == "owner" and self.migrate_dsn:
            return Login(self.migrate_dsn, _password(self.migrate_dsn_password_file))
        if role == "reader" and self.reader_dsn:
            return Login(self.reader_dsn, _password(self.reader_dsn_password_file))
        return Login(self.dsn, _password(self.dsn_password_file), as_reader=role == "reader")

    async def connect(
        self,
        role: Role,
        application_name: str,
        *,
        timeout: float = CONNECT_S_MAX,
        command_timeout: float | None = None,
        settings: dict[str, str] | None = None,
    ) -> Connection:
        """One connection, never a pool; `settings` are further settings of the session."""
        login = self.login(role)
        session = {"application_name": application_name}
        if role == "reader":
            session["timezone"] = in_postgresql(self.timezone)  # a setting that transaction poolers let through
        else:
            session |= KEEPALIVES | {"synchronous_commit": "on"}
        connection = await asyncpg.connect(
            login.dsn,
            password=login.password,
            timeout=timeout,
            command_timeout=command_timeout,
            statement_cache_size=0 if role == "reader" else 100,  # readers may come through a transaction pooler
            server_settings=session | (settings or {}),
        )
        if login.as_reader:
            await connection.execute(_sql("become_reader"))
        return connection

    def _embedded_login(self, role: Role) -> Login:
        from monitor.store.cluster import Cluster
        from monitor.store.installation import EmbeddedError

        cluster, name = Cluster(self.data_dir), f"livemon_{role}"
        try:
            socket = cluster.socket()
            if socket is None:
                raise DatabaseError(f"the embedded PostgreSQL under {cluster.home} does not run")
            return Login(f"postgresql://{name}@/livemon?host={quote(socket, safe='/')}", cluster.password(name))
        except EmbeddedError as error:
            raise DatabaseError(str(error)) from error


@asynccontextmanager
async def reading(connection: Connection, seconds_max: float = 30.0) -> AsyncIterator[None]:
    """A READ ONLY transaction in which a person's own SQL may run, by `prepare` alone: that takes one statement."""
    async with connection.transaction(readonly=True):
        await connection.fetchrow(_sql("read_limits"), f"{seconds_max * 1000:.0f}")
        yield


def _password(file: Path | None) -> str | None:
    return None if file is None else read_secret(file).reveal()


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()
