"""The connection to our own database, and bringing its tables up to date."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ..errors import ConfigError, PumphouseError, UsageError

SCRIPTS = Path(__file__).parent / "alembic"

#: The newest of alembic/versions: tables of this version are up to date.
HEAD = "0003"

#: Seconds that a writer waits for another one, and that an upgrade waits for another process's.
PATIENCE = 60

#: Drivers that we depend on, where the URL names none.
DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql", "postgresql": "postgresql+psycopg"}

#: An arbitrary number (PostgreSQL) and name (MariaDB, MySQL) for the lock around an upgrade.
LOCK_NUMBER, LOCK_NAME = 7267_4867, "pumphouse-upgrade"


def place(url: URL) -> str:
    """Where the database is, without password and options: what messages may say."""
    return url._replace(query={}).render_as_string(hide_password=True)  # type: ignore[arg-type]


def reason(error: SQLAlchemyError) -> str:
    """One line in the driver's words, without the statement and its parameters."""
    origin: BaseException = (error.orig if isinstance(error, DBAPIError) else None) or error
    text = str(origin.args[-1]) if origin.args else str(origin)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else type(origin).__name__


def make_engine(text: str) -> Engine:
    """An engine for ``text``; nothing is connected yet, but a SQLite file is made."""
    try:
        url = sa.make_url(text)
        url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
        if url.get_backend_name() == "sqlite":
            return _sqlite(url)
        return sa.create_engine(url, pool_pre_ping=True, pool_recycle=600, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"database {place(url)}: the driver {error.name} is not installed"
            " (PostgreSQL: pip install 'pumphouse[postgresql]')"
        ) from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(
            "database: not a database URL; allowed are sqlite:///FILE,"
            " mysql+pymysql://USER:PASSWORD@HOST/NAME and postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        ) from error


#: What a database calls the time: seconds since the epoch.
CLOCKS = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "extract(epoch from clock_timestamp())",
}


def clock(engine: Engine) -> sa.TextClause:
    """The database's own time: processes on several machines agree on no other."""
    return sa.text(CLOCKS.get(engine.dialect.name, "unix_timestamp(now(6))"))


def is_memory(url: URL) -> bool:
    """Whether this is a SQLite database without a file, which all threads must share one connection to."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _sqlite(url: URL) -> Engine:
    if is_memory(url):
        arguments: dict[str, Any] = {
            "poolclass": StaticPool,
            "connect_args": {"check_same_thread": False},
        }
    else:
        path = Path(str(url.database)).expanduser()
        _make_private(path)
        url = url.set(database=str(path))
        arguments = {"connect_args": {"timeout": PATIENCE}}
    engine = sa.create_engine(url, hide_parameters=True, **arguments)
    sa.event.listen(engine, "connect", _sqlite_connected)
    sa.event.listen(engine, "begin", _sqlite_begins)
    return engine


def _make_private(path: Path) -> None:
    """Create the file (0600), and its directory if that is missing (0700); SQLite's own -wal follows it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise ConfigError(
            f"database {path}: cannot be created: {error.strerror}; name another place in the configuration"
        ) from error


def _sqlite_connected(connection: Any, _record: Any) -> None:
    # Transactions are begun by _sqlite_begins: the driver's own habit leaves DDL outside of them.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except connection.OperationalError as error:
            # Two processes that open a new file at once: the busy timeout does not cover this switch.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _sqlite_begins(connection: Connection) -> None:
    # A reader that turns writer in mid-transaction is refused at once, whatever the timeout: writers
    # say so first.
    write = connection.get_execution_options().get("pumphouse_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def upgrade(engine: Engine) -> None:
    """Create the tables or bring them up to date. Several processes may come here at once."""
    where = place(engine.url)
    try:
        with engine.connect() as connection:
            if _version(connection) == HEAD:
                return
        _upgrade(engine)
    except OperationalError as error:
        raise PumphouseError(
            f"database {where} cannot be used: {reason(error)}; see that it runs, that the account may"
            " use it, and that the URL in the configuration is right"
        ) from error
    except SQLAlchemyError as error:
        raise PumphouseError(f"database {where} cannot be brought up to date: {reason(error)}") from error


def _version(connection: Connection) -> str | None:
    """The version of the tables; None where there are none yet."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(sa.text("SELECT version_num FROM alembic_version"))


def _upgrade(engine: Engine) -> None:
    # Alembic takes longer to import than most commands to run, and is seldom needed.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.execution_options(pumphouse_write=True).begin() as connection, _alone(connection):
        current = _version(connection)
        if current is not None and current not in known:
            raise UsageError(
                f"database {place(engine.url)} was written by a newer Pumphouse (its version is {current}):"
                " install that version, or name another database"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextlib.contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keep other processes from upgrading at the same time (SQLite: the transaction itself does)."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": LOCK_NUMBER})
        yield
    elif dialect in ("mysql", "mariadb"):
        # The lock belongs to the server, not to one of its databases.
        name = f"{LOCK_NAME}-{connection.engine.url.database}"[:64]
        if connection.scalar(sa.text("SELECT GET_LOCK(:name, :wait)"), {"name": name, "wait": PATIENCE}) != 1:
            raise PumphouseError(f"database {place(connection.engine.url)}: another process is upgrading it")
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), {"name": name})
    else:
        yield
