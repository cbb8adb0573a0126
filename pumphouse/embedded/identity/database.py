"""Keystone's own database, as far as it holds people and their passwords: a real one, in SQLite.

The tables are those that Keystone's migrations make; they are the same in Zed and 2026.1. Others may read and write
them while the cloud runs: who logs in is always looked up here.
"""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pumphouse.embedded.identity import hashing

SCHEMA = """
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
CREATE TABLE user (
    id VARCHAR(64) NOT NULL, extra TEXT, enabled BOOLEAN, default_project_id VARCHAR(64), created_at DATETIME,
    last_active_at DATE, domain_id VARCHAR(64) NOT NULL, PRIMARY KEY (id),
    CONSTRAINT ixu_user_id_domain_id UNIQUE (id, domain_id));
CREATE INDEX ix_default_project_id ON user (default_project_id);
CREATE TABLE local_user (
    id INTEGER NOT NULL, user_id VARCHAR(64) NOT NULL, domain_id VARCHAR(64) NOT NULL, name VARCHAR(255) NOT NULL,
    failed_auth_count INTEGER, failed_auth_at DATETIME, PRIMARY KEY (id), UNIQUE (domain_id, name), UNIQUE (user_id),
    CONSTRAINT local_user_user_id_fkey FOREIGN KEY (user_id, domain_id) REFERENCES user (id, domain_id)
        ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE nonlocal_user (
    domain_id VARCHAR(64) NOT NULL, name VARCHAR(255) NOT NULL, user_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (domain_id, name), CONSTRAINT ixu_nonlocal_user_user_id UNIQUE (user_id),
    CONSTRAINT nonlocal_user_user_id_fkey FOREIGN KEY (user_id, domain_id) REFERENCES user (id, domain_id)
        ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE federated_user (
    id INTEGER NOT NULL, user_id VARCHAR(64) NOT NULL, idp_id VARCHAR(64) NOT NULL, protocol_id VARCHAR(64) NOT NULL,
    unique_id VARCHAR(255) NOT NULL, display_name VARCHAR(255), PRIMARY KEY (id),
    UNIQUE (idp_id, protocol_id, unique_id), FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE);
CREATE TABLE password (
    id INTEGER NOT NULL, local_user_id INTEGER NOT NULL, expires_at DATETIME,
    self_service BOOLEAN DEFAULT '0' NOT NULL, password_hash VARCHAR(255), created_at_int BIGINT DEFAULT '0' NOT NULL,
    expires_at_int BIGINT, created_at DATETIME NOT NULL, PRIMARY KEY (id),
    FOREIGN KEY (local_user_id) REFERENCES local_user (id) ON DELETE CASCADE);
CREATE INDEX password_local_user_id ON password (local_user_id);
"""

#: The last migrations of each release, by which it can be told.
REVISIONS = {"zed": ("e25ffa003242", "29e87d24a316"), "2026.1": ("742c857f1dfb", "c88cdce8f248")}

#: The password that counts: the newest.
NEWEST = "ORDER BY created_at_int DESC, id DESC LIMIT 1"


class ExpiredError(Exception):
    """The password is the right one, and has expired."""


class Database:
    """Used under the cloud's lock; others use the file at ``url``."""

    def __init__(self, path: Path, release: str, kinds: frozenset[str]) -> None:
        """``kinds``: the identifiers of the hashes that this release verifies."""
        self.url = f"sqlite:///{path.resolve()}"
        self._kinds = kinds
        self._connection = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        # The cloud is gone after a crash anyway.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(SCHEMA)
        self._connection.executemany(
            "INSERT INTO alembic_version VALUES (?)", [(revision,) for revision in REVISIONS[release]]
        )

    def add(self, user: dict[str, Any], extra: dict[str, Any], password: str | None) -> None:
        """A new user, with or without a password."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "INSERT INTO user (id, extra, enabled, default_project_id, created_at, domain_id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (user["id"], json.dumps(extra), user["enabled"], user.get("default_project_id"), _text(_now()),
                 user["domain_id"]),
            )  # fmt: skip
            self._connection.execute(
                "INSERT INTO local_user (user_id, domain_id, name, failed_auth_count) VALUES (?, ?, ?, 0)",
                (user["id"], user["domain_id"], user["name"]),
            )
            if password is not None:
                self._put(user["id"], password)

    def change(self, user: dict[str, Any], extra: dict[str, Any]) -> None:
        """Everything of a user but the password."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "UPDATE user SET extra = ?, enabled = ?, default_project_id = ? WHERE id = ?",
                (json.dumps(extra), user["enabled"], user.get("default_project_id"), user["id"]),
            )
            self._connection.execute("UPDATE local_user SET name = ? WHERE user_id = ?", (user["name"], user["id"]))

    def delete(self, user_id: str) -> None:
        """Forget a user."""
        self._connection.execute("DELETE FROM user WHERE id = ?", (user_id,))

    def set_password(self, user_id: str, password: str, *, self_service: bool = False) -> None:
        """A new password: the one before is kept, and expires now."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            local = self._local(user_id)
            kept = self._connection.execute(
                f"SELECT id FROM password WHERE local_user_id = ? {NEWEST}", (local,)  # noqa: S608 (our own words)
            ).fetchone()  # fmt: skip
            self._connection.execute(
                "DELETE FROM password WHERE local_user_id = ? AND id != ?", (local, kept[0] if kept else 0)
            )
            moment = _now()
            self._connection.execute(
                "UPDATE password SET expires_at = ?, expires_at_int = ?"
                " WHERE local_user_id = ? AND (expires_at_int IS NULL OR expires_at_int > ?)",
                (_text(moment), _micros(moment), local, _micros(moment)),
            )
            self._put(user_id, password, self_service=self_service)

    def verify(self, user_id: str, password: str, *, forever: bool = False) -> bool:
        """Whether it is the user's password.

        Raises ExpiredError unless it is good ``forever``; and UnknownHashError, where Keystone fails, too.
        """
        row = self._connection.execute(
            "SELECT password_hash, expires_at_int, expires_at FROM password WHERE local_user_id ="  # noqa: S608
            f" (SELECT id FROM local_user WHERE user_id = ?) {NEWEST}",
            (user_id,),
        ).fetchone()
        if row is None or not row[0] or not hashing.verify(password, row[0], self._kinds):
            return False
        expires = _expiry(row[1], row[2])
        if not forever and expires is not None and expires <= _now():
            raise ExpiredError
        return True

    def expiries(self, user_ids: Iterable[str] | None = None) -> dict[str, datetime.datetime]:
        """When the passwords of these users, or of all, expire; those that never do are left out."""
        # The newest of each user comes last.
        newest = dict(self._every_expiry(user_ids))
        return {user_id: moment for user_id, moment in newest.items() if moment is not None}

    def ever_expiring(self, when: Callable[[datetime.datetime], bool]) -> set[str]:
        """The users one of whose passwords, and be it an old one, expires at such a time."""
        return {user_id for user_id, moment in self._every_expiry() if moment is not None and when(moment)}

    def _every_expiry(self, user_ids: Iterable[str] | None = None) -> list[tuple[str, datetime.datetime | None]]:
        query = (
            "SELECT user_id, expires_at_int, expires_at FROM password JOIN local_user"
            " ON local_user.id = password.local_user_id {} ORDER BY created_at_int, password.id"
        )
        execute = self._connection.execute
        if user_ids is None:
            rows = execute(query.format("")).fetchall()
        else:
            one = query.format("WHERE user_id = ?")
            rows = [row for user_id in user_ids for row in execute(one, (user_id,))]
        return [(user_id, _expiry(micros, text)) for user_id, micros, text in rows]

    def save(self) -> bytes:
        """All of it."""
        return self._connection.serialize()

    def restore(self, saved: bytes) -> None:
        """Be as it was; who has it open goes on."""
        with sqlite3.connect(":memory:") as before:
            before.deserialize(saved)
            before.backup(self._connection)
        before.close()

    def _local(self, user_id: str) -> int:
        return int(self._connection.execute("SELECT id FROM local_user WHERE user_id = ?", (user_id,)).fetchone()[0])

    def _put(self, user_id: str, password: str, *, self_service: bool = False) -> None:
        moment = _now()
        self._connection.execute(
            "INSERT INTO password (local_user_id, self_service, password_hash, created_at_int, created_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (self._local(user_id), self_service, hashing.make(password), _micros(moment), _text(moment)),
        )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _micros(moment: datetime.datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _text(moment: datetime.datetime) -> str:
    """As SQLAlchemy keeps times in SQLite."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _expiry(micros: int | None, text: str | None) -> datetime.datetime | None:
    """Keystone looks at the number first, and at the text if there is none."""
    if micros is not None:
        return datetime.datetime.fromtimestamp(micros / 1_000_000, datetime.UTC)
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC) if text else None
