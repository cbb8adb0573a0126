"""The tables of our own state. Changing one needs a new file in ``alembic/versions`` (a test compares)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: Lengths of what is indexed: together they stay below the 3,072 bytes of an InnoDB key in utf8mb4.
PAIR, TYPE, ID, UNIT = 320, 32, 400, 400
#: Of who did something: a token's name, or somebody's in a Keystone.
ACTOR = 256
#: Characters of free text that are kept: below MariaDB's 65,535 bytes of a TEXT, whatever the characters.
TEXT_LIMIT = 16_000

#: The state of a migration or a unit that has succeeded.
DONE = "done"

#: MariaDB and MySQL: ids and names that differ in case only are different ones.
MYSQL = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB"}


#: Kinds of notes: how it was before anything was done to it; when its downtime began; that its bytes were copied, with
#: the proof; that it is being made.
BEFORE, STOPPED, COPIED, MAKING = "before", "stopped", "copied", "making"


class Base(DeclarativeBase):
    """Common to all tables: constraints have names, so that a later Alembic migration can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Migration(Base):
    """One execution of a plan."""

    __tablename__ = "migrations"
    __table_args__ = (MYSQL,)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Which two clouds: their keys.
    pair: Mapped[str] = mapped_column(String(PAIR))
    #: What the operator named (``Selection.to_json``).
    selection: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: ``Plan.to_json``, as it was when the migration was started.
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: How it was run: concurrency and the like. Never a secret.
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: queued, planning, running, done, failed, stopped, cancelled, reverting, reverted.
    state: Mapped[str] = mapped_column(String(16))
    #: What the processes that run it are asked to do: "cancel", or nothing.
    wish: Mapped[str] = mapped_column(String(16), server_default="")
    #: Seconds since the epoch (UTC), as all times here.
    created: Mapped[float] = mapped_column(Double)
    #: When the state was last set.
    updated: Mapped[float] = mapped_column(Double)


class Unit(Base):
    """A part of a migration that succeeds or is undone as a whole."""

    __tablename__ = "units"
    __table_args__ = (UniqueConstraint("migration_id", "name"), MYSQL)

    #: Rising in the order of the plan.
    id: Mapped[int] = mapped_column(primary_key=True)
    migration_id: Mapped[int] = mapped_column(ForeignKey("migrations.id"))
    name: Mapped[str] = mapped_column(String(UNIT))
    #: Which flow runs it.
    kind: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(Text)
    #: pending, running, done, failed, blocked, stopped, reverted (``transfer.progress``).
    state: Mapped[str] = mapped_column(String(16))
    #: TaskFlow's logbook of the flow that carries it; null unless that has begun and not ended.
    logbook: Mapped[str | None] = mapped_column(String(64))
    #: Which process has it, until when by the database's clock. Each claim raises the epoch: see ``store.claims``.
    owner: Mapped[str] = mapped_column(String(128), server_default="")
    lease: Mapped[float | None] = mapped_column(Double)
    epoch: Mapped[int] = mapped_column(server_default="0")
    #: The operator has accepted it: it is not rolled back any more.
    accepted: Mapped[bool] = mapped_column(Boolean, server_default=false())
    #: What it did last: "copying the root disk".
    step: Mapped[str] = mapped_column(Text)
    bytes_total: Mapped[int] = mapped_column(BigInteger)
    bytes_done: Mapped[int] = mapped_column(BigInteger)
    started: Mapped[float | None] = mapped_column(Double)
    finished: Mapped[float | None] = mapped_column(Double)
    #: Seconds from stopping the server in the source to its being up in the destination.
    downtime: Mapped[float | None] = mapped_column(Double)
    #: Why it failed or could not start; empty otherwise.
    error: Mapped[str] = mapped_column(Text)


class Mapping(Base):
    """A source resource and its counterpart; outlives the migration that made it."""

    __tablename__ = "mappings"
    __table_args__ = (UniqueConstraint("pair", "type", "source_id"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    pair: Mapped[str] = mapped_column(String(PAIR))
    type: Mapped[str] = mapped_column(String(TYPE))
    source_id: Mapped[str] = mapped_column(String(ID))
    destination_id: Mapped[str] = mapped_column(String(ID))
    #: Which migration, and which of its units, wrote it last.
    migration_id: Mapped[int] = mapped_column(ForeignKey("migrations.id"))
    unit: Mapped[str] = mapped_column(String(UNIT))
    #: Whether we made the counterpart (and may delete it), or found it.
    created: Mapped[bool] = mapped_column(Boolean)


class Event(Base):
    """Something that happened in a migration, for people and for the log."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "migration_id", "id"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: None: it is about none, or about a plan, a job, somebody's request.
    migration_id: Mapped[int | None] = mapped_column(ForeignKey("migrations.id"))
    time: Mapped[float] = mapped_column(Double)
    unit: Mapped[str | None] = mapped_column(String(UNIT))
    kind: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    data: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))


class Result(Base):
    """What became of one resource, field by field."""

    __tablename__ = "results"
    __table_args__ = (UniqueConstraint("migration_id", "type", "source_id"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    migration_id: Mapped[int] = mapped_column(ForeignKey("migrations.id"))
    unit: Mapped[str] = mapped_column(String(UNIT))
    type: Mapped[str] = mapped_column(String(TYPE))
    source_id: Mapped[str] = mapped_column(String(ID))
    name: Mapped[str] = mapped_column(Text)
    destination_id: Mapped[str | None] = mapped_column(String(ID))
    #: equal, mapped, differs, not carried, not verified, failed.
    verdict: Mapped[str] = mapped_column(String(16))
    #: [{"field", "verdict", "source", "destination", "reason"}]
    fields: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    #: {"size", "source_sha512", "destination_sha512"} of what holds bytes.
    bytes: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Note(Base):
    """What a unit must know of a resource of the source even when its process has died; see ``store.notes``."""

    __tablename__ = "notes"
    __table_args__ = (UniqueConstraint("migration_id", "kind", "type", "source_id"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    migration_id: Mapped[int] = mapped_column(ForeignKey("migrations.id"))
    unit: Mapped[str] = mapped_column(String(UNIT))
    #: before, stopped, copied, making.
    kind: Mapped[str] = mapped_column(String(16))
    type: Mapped[str] = mapped_column(String(TYPE))
    source_id: Mapped[str] = mapped_column(String(ID))
    #: Seconds since the epoch.
    time: Mapped[float] = mapped_column(Double)
    data: Mapped[Any] = mapped_column(JSON)


class Temporary(Base):
    """A snapshot, clone or image of ours in a cloud, which must go away in every outcome.

    It is noted before it is made: without an id it is found by its name, if it is there at all.
    """

    __tablename__ = "temporaries"
    __table_args__ = (Index(None, "migration_id"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    migration_id: Mapped[int] = mapped_column(ForeignKey("migrations.id"))
    unit: Mapped[str] = mapped_column(String(UNIT))
    #: source or destination.
    cloud_role: Mapped[str] = mapped_column(String(16))
    type: Mapped[str] = mapped_column(String(TYPE))
    resource_id: Mapped[str] = mapped_column(String(ID))
    name: Mapped[str] = mapped_column(Text)


class PlanRow(Base):
    """A plan that was asked for over the API; a migration that is begun from it has a copy of its own."""

    __tablename__ = "plans"
    __table_args__ = (MYSQL,)

    id: Mapped[int] = mapped_column(primary_key=True)
    pair: Mapped[str] = mapped_column(String(PAIR))
    selection: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: making, ready, failed.
    state: Mapped[str] = mapped_column(String(16))
    #: What is being read: the last line of its making.
    said: Mapped[str] = mapped_column(Text)
    #: {"code", "detail", "remedy"} when it failed.
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    #: ``Plan.to_json``, once it is ready.
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)
    #: Who asked for it.
    created_by: Mapped[str] = mapped_column(String(ACTOR))
    #: The migration that was begun from it.
    migration_id: Mapped[int | None] = mapped_column(ForeignKey("migrations.id"))


class Job(Base):
    """Something long that was asked for over the API, for an engine to do; see ``store.jobs``."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "state"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: plan, migrate, resume, cancel, rollback, accept, verify, leftovers.
    kind: Mapped[str] = mapped_column(String(16))
    #: queued, running, done, failed.
    state: Mapped[str] = mapped_column(String(16))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plans.id"))
    migration_id: Mapped[int | None] = mapped_column(ForeignKey("migrations.id"))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: What it does just now.
    said: Mapped[str] = mapped_column(Text)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created: Mapped[float] = mapped_column(Double)
    started: Mapped[float | None] = mapped_column(Double)
    finished: Mapped[float | None] = mapped_column(Double)
    created_by: Mapped[str] = mapped_column(String(ACTOR))
    #: Which engine has it, and until when by the database's clock.
    owner: Mapped[str] = mapped_column(String(128), server_default="")
    lease: Mapped[float | None] = mapped_column(Double)


class Token(Base):
    """An API token. What it is proven by is not here: only a digest of it."""

    __tablename__ = "tokens"
    __table_args__ = (UniqueConstraint("key"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The part of the token that says which one it is.
    key: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(ACTOR))
    #: viewer, operator, admin.
    role: Mapped[str] = mapped_column(String(16))
    #: SHA-256 of the secret part, hexadecimal.
    digest: Mapped[str] = mapped_column(String(64))
    created: Mapped[float] = mapped_column(Double)
    expires: Mapped[float | None] = mapped_column(Double)
    #: When it was used last, give or take a minute.
    used: Mapped[float | None] = mapped_column(Double)
    revoked: Mapped[float | None] = mapped_column(Double)


class Login(Base):
    """Somebody's session with the page; of the cookie there is a digest only."""

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("digest"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(ACTOR))
    role: Mapped[str] = mapped_column(String(16))
    #: token:KEY, keystone:source, keystone:destination.
    via: Mapped[str] = mapped_column(String(64))
    created: Mapped[float] = mapped_column(Double)
    expires: Mapped[float] = mapped_column(Double)


class Request(Base):
    """A creating request with an Idempotency-Key, and what was answered to it."""

    __tablename__ = "requests"
    __table_args__ = (UniqueConstraint("actor", "key"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(String(ACTOR))
    key: Mapped[str] = mapped_column(String(128))
    #: SHA-256 of method, path and body, hexadecimal.
    fingerprint: Mapped[str] = mapped_column(String(64))
    created: Mapped[float] = mapped_column(Double)
    #: Of the answer; null until there is one.
    status: Mapped[int | None] = mapped_column()
    body: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    location: Mapped[str | None] = mapped_column(Text)
