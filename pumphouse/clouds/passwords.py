"""Password hashes in Keystone's own database, as its API neither shows nor takes them.

The tables differ by era (keystone/identity/backends/sql_model.py and its migrations); what is there is found out
from the columns. A hash is a secret: nothing here logs one or puts one into an exception, and whoever reads one
has to pass it on within the same task.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    Select,
    Table,
    Update,
    create_engine,
    false,
    func,
    inspect,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from pumphouse.clouds import hashes as kinds
from pumphouse.clouds.errors import RemedyError, explain
from pumphouse.clouds.hashes import Rules
from pumphouse.database_url import masked
from pumphouse.errors import CloudError

#: How many users are asked for in one statement.
CHUNK = 500

#: Enough of a hash to tell its kind.
LONGEST_IDENT = 20

#: Seconds to wait for a connection and an answer, in the words of each driver.
TIMEOUTS: dict[str, dict[str, Any]] = {
    "pymysql": {"connect_timeout": 10, "read_timeout": 60, "write_timeout": 60},
    "mysqldb": {"connect_timeout": 10, "read_timeout": 60, "write_timeout": 60},
    "psycopg": {"connect_timeout": 10},
    "psycopg2": {"connect_timeout": 10},
}


@dataclass(frozen=True)
class PasswordRow:
    """The row that a user logs in with."""

    #: Of the row (of the user, before Mitaka).
    id: int | str
    #: A secret. None or "" when the user has no password here.
    hash: str | None = field(repr=False)
    #: When it has to be changed; None: never.
    expires_at: datetime.datetime | None = None
    #: When it was set, where the database says so.
    created_at: datetime.datetime | None = None


@dataclass(frozen=True)
class Status:
    """What ``pumphouse check`` shows of an identity database."""

    release: str
    #: Identifiers of the hashes that it verifies for certain.
    idents: frozenset[str]
    #: How many users have a password of each kind, by identifier: {"$2b$": 12}.
    counts: dict[str, int]
    #: Whether hashes may be replaced.
    writable: bool


class Passwords:
    """The password tables of one Keystone. Threads may share it."""

    def __init__(self, url: str) -> None:
        """``url``: SQLAlchemy's, of Keystone's database. Nothing is connected before it is used."""
        self._url = url
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._schema: _Schema | None = None

    def __repr__(self) -> str:
        """The database, without its password."""
        return f"<Passwords {masked(self._url)}>"

    def read(self, user_id: str) -> PasswordRow | None:
        """The current row of a user; None when Keystone's database has no password for them (LDAP, federated)."""
        return self.hashes([user_id]).get(user_id)

    def hashes(self, user_ids: Iterable[str]) -> dict[str, PasswordRow]:
        """The current rows of many users, by user id; those without one are left out."""
        wanted = list(dict.fromkeys(user_ids))
        found: dict[str, PasswordRow] = {}
        with self._begin() as (connection, schema):
            for start in range(0, len(wanted), CHUNK):
                chunk = wanted[start : start + CHUNK]
                for row in connection.execute(schema.rows().where(schema.user_id.in_(chunk))):
                    # Ordered so that the newest of each user comes last.
                    found[row.user_id] = schema.password_row(row)
        return found

    def replace(self, user_id: str, seen: PasswordRow, new_hash: str, like: PasswordRow | None = None) -> bool:
        """Set the hash of a user's current row, if that is still the one that was ``seen``.

        Returns False, with nothing changed, when it is not: the user or somebody else has set a password
        meanwhile. When it expires is left as Keystone has made it, unless it shall be ``like`` in another row.
        """
        if (reason := self.why_not(new_hash)) is not None:
            raise CloudError(f"the password of user {user_id} cannot be set: {reason}")
        if not seen.hash:
            return False
        with self._begin() as (connection, schema):
            dates = schema.expiry(like.expires_at) if like else {}
            done = connection.execute(schema.replacement(user_id, seen, new_hash, dates)).rowcount
        return done == 1

    def expire(self, user_id: str, seen: PasswordRow, moment: datetime.datetime) -> bool:
        """Let the password that was ``seen`` expire at a moment. Returns False, with nothing changed, as above."""
        if not seen.hash:
            return False
        with self._begin() as (connection, schema):
            statement = schema.replacement(user_id, seen, seen.hash, schema.expiry(moment))
            return connection.execute(statement).rowcount == 1

    def rules(self) -> Rules:
        """What this Keystone is and what it verifies."""
        if self._schema is None:
            with self._begin() as (_, schema):
                return schema.rules
        return self._schema.rules

    def release(self) -> str:
        """The release as far as the database shows it: "Zed", "2024.1 to 2025.2", "Pike to Rocky"."""
        return self.rules().release

    def verifiable_idents(self) -> set[str]:
        """Identifiers of the hashes that this Keystone verifies for certain."""
        return set(self.rules().idents)

    def ident(self, hash_: str) -> str:
        """The identifier at the beginning of a hash; no secret."""
        return kinds.ident(hash_)

    def why_not(self, hash_: str) -> str | None:
        """Why this Keystone would not verify a hash that comes from another; None when it would."""
        return self.rules().why_not(kinds.ident(hash_), len(hash_))

    def status(self) -> Status:
        """Whether all is there that is needed; changes nothing. Raises CloudError with the remedy if not."""
        with self._begin() as (connection, schema):
            # The newest of each user comes last; no more of a hash is read than tells its kind.
            current = {row.user_id: row.hash for row in connection.execute(schema.rows(beginning=True))}
            rules = schema.rules
        counts = collections.Counter(kinds.ident(hash_) for hash_ in current.values() if hash_)
        return Status(rules.release, rules.idents, dict(counts), self._writable())

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()

    def _writable(self) -> bool:
        """Whether the column may be updated: tried with a condition that no row meets, and rolled back."""
        with contextlib.suppress(SQLAlchemyError), self._connect() as connection:
            schema = self._look(connection)
            nothing = update(schema.passwords).where(false()).values({schema.write: schema.write})
            connection.execute(nothing)
            connection.rollback()
            return True
        return False

    @contextlib.contextmanager
    def _begin(self) -> Iterator[tuple[Connection, _Schema]]:
        """One transaction. Whatever the database says becomes a CloudError that holds no hash."""
        try:
            with self._connect() as connection, connection.begin():
                yield connection, self._look(connection)
        except SQLAlchemyError as error:
            raise RemedyError(
                f"the identity database {masked(self._url)} cannot be used: {explain(error)}",
                "check identity_database, and its GRANTs (docs/configuration.md)",
            ) from None

    def _connect(self) -> Connection:
        with self._lock:
            if self._engine is None:
                url = make_url(self._url)
                # Connections are rare here, and must not lie about until the server has closed them.
                self._engine = create_engine(
                    url,
                    poolclass=NullPool,
                    hide_parameters=True,
                    connect_args=TIMEOUTS.get(url.get_dialect().driver, {}),
                )
            return self._engine.connect()

    def _look(self, connection: Connection) -> _Schema:
        with self._lock:
            if self._schema is None:
                self._schema = _Schema(connection, masked(self._url))
            return self._schema


class _Schema:
    """The tables of one era, and how to read and write them."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.rules, needed = _era(connection, name)
        tables = MetaData()
        tables.reflect(connection, only=needed, resolve_fks=False)
        self.passwords: Table = tables.tables["password" if "password" in needed else "user"]
        columns = self.passwords.columns
        self.local = tables.tables.get("local_user")
        self.key: Any = columns["id"]
        self.user_id: Any = columns["id"] if self.local is None else self.local.columns["user_id"]
        #: Where Keystone of this era looks first.
        self.write: Any = columns["password_hash"] if "password_hash" in columns else columns["password"]

    def rows(self, *, beginning: bool = False) -> Select[Any]:
        """Every password row; the one that Keystone takes, the newest, is the last of each user.

        ``beginning``: only the first characters of the hashes.
        """
        columns = self.passwords.columns
        hash_: Any = self.write
        if "password" in columns and "password_hash" in columns:
            # Pike to Rocky fill one or the other.
            hash_ = func.coalesce(columns["password_hash"], columns["password"])
        if beginning:
            hash_ = func.substr(hash_, 1, LONGEST_IDENT)
        picked = [self.user_id.label("user_id"), self.key.label("id"), hash_.label("hash")]
        picked += [columns[name] for name in ("expires_at", "expires_at_int") if name in columns]
        picked += [columns[name] for name in ("created_at", "created_at_int") if name in columns]
        query = select(*picked)
        if self.local is None:
            return query
        join = self.passwords.join(self.local, self.local.columns["id"] == columns["local_user_id"])
        return query.select_from(join).order_by(*_age(columns))

    def expiry(self, moment: datetime.datetime | None) -> dict[Any, Any]:
        """Values that let a password expire at a moment, or never; none where this era knows no expiry."""
        columns = self.passwords.columns
        naive = moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment else None
        micros = round(moment.timestamp() * 1_000_000) if moment else None
        values = {"expires_at": naive, "expires_at_int": micros}
        return {columns[name]: value for name, value in values.items() if name in columns}

    def replacement(self, user_id: str, seen: PasswordRow, new_hash: str, dates: dict[Any, Any]) -> Update:
        """Sets a hash where the row that was seen is the user's newest and still has the hash that was seen."""
        statement = update(self.passwords).where(self.key == seen.id, self.write == seen.hash)
        if self.local is not None:
            passwords, local = self.passwords.alias(), self.local.alias()
            newest = (
                select(passwords.columns["id"])
                .join(local, local.columns["id"] == passwords.columns["local_user_id"])
                .where(local.columns["user_id"] == user_id)
                .order_by(*(column.desc() for column in _age(passwords.columns)))
                .limit(1)
                .subquery()
            )
            # MySQL refuses a subquery on the table that is updated, unless it is inside another.
            statement = statement.where(self.key == select(newest.columns["id"]).scalar_subquery())
        return statement.values({self.write: new_hash, **dates})

    def password_row(self, row: Any) -> PasswordRow:
        """One row, its times as datetimes (UTC) whichever column holds them."""
        return PasswordRow(row.id, row.hash, _time(row, "expires_at"), _time(row, "created_at"))


def _age(columns: Any) -> list[Any]:
    """What orders the rows of a user from the oldest to the newest, as Keystone does it."""
    return [columns[name] for name in ("created_at_int", "created_at", "id") if name in columns]


def _time(row: Any, name: str) -> datetime.datetime | None:
    """A time from its column of microseconds since 1970, or from the older column."""
    micros = getattr(row, f"{name}_int", None)
    if micros:
        return datetime.datetime.fromtimestamp(micros / 1_000_000, datetime.UTC)
    value = getattr(row, name, None)
    return value.replace(tzinfo=datetime.UTC) if isinstance(value, datetime.datetime) else None


def _era(connection: Connection, name: str) -> tuple[Rules, list[str]]:
    """The rules of the Keystone behind a database, and the tables that hold its passwords.

    Raises CloudError when it is no Keystone's database, or we may not see its tables.
    """
    inspector = inspect(connection)
    tables = set(inspector.get_table_names())
    columns: dict[str, dict[str, Any]] = {
        table: {column["name"]: column for column in inspector.get_columns(table)}
        for table in ("user", "local_user", "password")
        if table in tables
    }
    modern = columns.get("password", {})
    if "local_user" in columns and modern:
        needed = ["local_user", "password"]
        if "password_hash" not in modern:
            return Rules("Mitaka to Ocata", kinds.OLD, _width(modern["password"])), needed
        width = _width(modern["password_hash"])
        if "password" in modern:
            return Rules("Pike to Rocky", kinds.MODERN | kinds.OLD, width), needed
        if "alembic_version" in tables:
            version = Table("alembic_version", MetaData(), autoload_with=connection)
            revisions = set(connection.execute(select(version.columns["version_num"])).scalars())
            rules = kinds.rules_for_revisions(revisions)
            return Rules(rules.release, rules.idents, width), needed
        if "migrate_version" in tables:
            return Rules("Stein to Xena", kinds.MODERN | kinds.OLD, width), needed
        raise RemedyError(
            f"the identity database {name} shows neither alembic_version nor migrate_version",
            "grant SELECT on them (docs/configuration.md)",
        )
    if "password" in columns.get("user", {}) and "local_user" not in tables:
        return Rules("Icehouse to Liberty", kinds.OLD, _width(columns["user"]["password"])), ["user"]
    raise RemedyError(
        f"the identity database {name} shows no tables local_user and password",
        "name Keystone's database, and grant SELECT on them (docs/configuration.md)",
    )


def _width(column: dict[str, Any]) -> int:
    return getattr(column["type"], "length", None) or 255
