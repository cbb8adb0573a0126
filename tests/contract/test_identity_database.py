"""Keystone's database: what stands in it of a user's password, and what Keystone makes of what others put there."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
from collections.abc import Callable, Iterator

import bcrypt
import pytest
import requests
from sqlalchemy import Connection, Row, create_engine, inspect, text

from pumphouse.clouds.passwords import Passwords
from tests.acceptance.clouds import Account, Json
from tests.contract.conftest import Contractor

Name = Callable[[str], str]
PASSWORD = "sésame"
#: Made with Python's crypt, which is gone from 3.13.
SHA512_CRYPT = (
    "$6$rounds=1000$pumphouse$3iqus61S1fueVPuOWKED1i8CU5Pex8r9TtbZyNkVSGf0.JSTgZq0.NCRq7MnGzrFBhDoGk33t8uDF/9pZI7rI/"
)


@pytest.fixture
def sql(contractor: Contractor) -> Iterator[Connection]:
    """Keystone's database."""
    engine = create_engine(contractor.database, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def user(contractor: Contractor, name: Name) -> Json:
    """Somebody with a password."""
    given = {"name": name("user"), "domain_id": contractor.domain, "password": PASSWORD}
    return contractor.operator.identity.post("/users", "user", **given)


def rows(sql: Connection, user: Json) -> list[Row]:
    """All passwords of a user, the oldest first."""
    query = (
        "SELECT password.id, password_hash, expires_at, expires_at_int, created_at_int, self_service FROM password"
        " JOIN local_user ON local_user.id = local_user_id WHERE user_id = :user ORDER BY created_at_int"
    )
    return list(sql.execute(text(query), {"user": user["id"]}))


def put(sql: Connection, user: Json, **values: object) -> None:
    """Change the newest password of a user by hand."""
    newest = rows(sql, user)[-1].id
    settings = ", ".join(f"{name} = :{name}" for name in values)
    sql.execute(text(f"UPDATE password SET {settings} WHERE id = :id"), {**values, "id": newest})


def encoded(data: bytes) -> str:
    """As passlib writes bytes: base64 without its padding."""
    return base64.b64encode(data).rstrip(b"=").decode()


def pbkdf2(password: str) -> str:
    """A hash as Keystone would make it if it were told to."""
    salt = b"sixteen bytes ok"
    made = encoded(hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 1000))
    return f"$pbkdf2-sha512$1000${encoded(salt)}${made}".replace("+", ".")


def scrypt(password: str) -> str:
    """A hash as Keystone would make it if it were told to."""
    salt = b"sixteen bytes ok"
    made = encoded(hashlib.scrypt(password.encode(), salt=salt, n=1 << 10, r=8, p=1, dklen=32))
    return f"$scrypt$ln=10,r=8,p=1${encoded(salt)}${made}"


def blowfish(password: str) -> str:
    """A hash as older Keystones make it."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, b"2a")).decode()


def test_the_tables(sql: Connection, release: str) -> None:
    inspector = inspect(sql)
    columns = {
        table: {column["name"] for column in inspector.get_columns(table)}
        for table in ("user", "local_user", "nonlocal_user", "federated_user", "password")
    }
    assert columns == {
        "user": {"id", "extra", "enabled", "default_project_id", "created_at", "last_active_at", "domain_id"},
        "local_user": {"id", "user_id", "domain_id", "name", "failed_auth_count", "failed_auth_at"},
        "nonlocal_user": {"domain_id", "name", "user_id"},
        "federated_user": {"id", "user_id", "idp_id", "protocol_id", "unique_id", "display_name"},
        "password": {"id", "local_user_id", "expires_at", "self_service", "password_hash", "created_at_int",
                     "expires_at_int", "created_at"},
    }  # fmt: skip
    revisions = {"zed": {"e25ffa003242", "29e87d24a316"}, "2026.1": {"742c857f1dfb", "c88cdce8f248"}}[release]
    assert set(sql.execute(text("SELECT version_num FROM alembic_version")).scalars()) == revisions


def test_its_release_can_be_told(contractor: Contractor, release: str) -> None:
    told = Passwords(contractor.database).release()
    assert told == {"zed": "Yoga to 2023.1", "2026.1": "2026.1"}[release]


def test_a_new_password(sql: Connection, user: Json) -> None:
    (row,) = rows(sql, user)
    assert row.password_hash.startswith("$2b$")
    assert bcrypt.checkpw(PASSWORD.encode(), row.password_hash.encode())
    assert (row.expires_at, row.expires_at_int, bool(row.self_service)) == (None, None, False)
    age = datetime.datetime.now(datetime.UTC).timestamp() - row.created_at_int / 1_000_000
    assert -60 < age < 60


def test_a_user_without_a_password(sql: Connection, contractor: Contractor, name: Name) -> None:
    made = contractor.operator.identity.post("/users", "user", name=name("user"), domain_id=contractor.domain)
    assert rows(sql, made) == []
    assert contractor.operator.login(made["id"], "") == 401


def test_the_password_before(sql: Connection, user: Json, operator: Account) -> None:
    """It is kept, one of them, and has expired: so the user is among those whose password expires before long."""
    for password in ("second", "third"):
        operator.identity.patch(f"/users/{user['id']}", "user", password=password)
    old, new = rows(sql, user)
    assert old.expires_at_int is not None and old.expires_at_int <= new.created_at_int
    assert new.expires_at_int is None
    assert bcrypt.checkpw(b"third", new.password_hash.encode())
    assert operator.login(user["id"], "third") == 201
    assert operator.identity.get(f"/users/{user['id']}")["password_expires_at"] is None
    expiring = operator.identity.list("/users", "users", password_expires_at="lt:2100-01-01T00:00:00Z")
    assert user["id"] in {one["id"] for one in expiring}
    later = operator.identity.list("/users", "users", password_expires_at="gt:2100-01-01T00:00:00Z")
    assert user["id"] not in {one["id"] for one in later}


def test_changing_ones_own(sql: Connection, user: Json, operator: Account) -> None:
    change = {"user": {"original_password": PASSWORD, "password": "my own"}}
    path = f"{operator.auth_url}/users/{user['id']}/password"
    assert requests.post(path, json=change, timeout=60).status_code == 204
    assert [bool(row.self_service) for row in rows(sql, user)] == [False, True]


@pytest.mark.parametrize("make", [blowfish, scrypt, pbkdf2])
def test_hashes_from_elsewhere(sql: Connection, user: Json, operator: Account, make: Callable[[str], str]) -> None:
    put(sql, user, password_hash=make("elsewhere ü"))
    assert operator.login(user["id"], "elsewhere ü") == 201
    assert operator.login(user["id"], "elsewhere u") == 401
    assert operator.login(user["id"], PASSWORD) == 401


def test_old_hashes(sql: Connection, user: Json, operator: Account, release: str) -> None:
    """2026.1 does not know sha512_crypt any more, and breaks: some web servers then say nothing at all."""
    put(sql, user, password_hash=SHA512_CRYPT)
    if release == "zed":
        assert operator.login(user["id"], PASSWORD) == 201
        assert operator.login(user["id"], "other") == 401
        return
    with contextlib.suppress(requests.ConnectionError):
        assert operator.login(user["id"], PASSWORD) == 500


def test_long_passwords(sql: Connection, user: Json, operator: Account) -> None:
    """Of more than 72 bytes, the first 72 count."""
    operator.identity.patch(f"/users/{user['id']}", "user", password="x" * 80)
    assert operator.login(user["id"], "x" * 80) == 201
    assert operator.login(user["id"], "x" * 72) == 201
    assert operator.login(user["id"], "x" * 71) == 401


def test_expiry(sql: Connection, user: Json, operator: Account) -> None:
    """The number counts; who shall never change it is let in for ever."""
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    values = {"expires_at": past.replace(tzinfo=None), "expires_at_int": round(past.timestamp() * 1_000_000)}
    put(sql, user, **values)
    who = {"methods": ["password"], "password": {"user": {"id": user["id"], "password": PASSWORD}}}
    answer = requests.post(f"{operator.auth_url}/auth/tokens", json={"auth": {"identity": who}}, timeout=60)
    assert answer.status_code == 401
    words = f"The password is expired and needs to be changed for user: {user['id']}."
    assert answer.json()["error"]["message"] == words
    assert operator.login(user["id"], "wrong") == 401
    expired = operator.identity.list("/users", "users", password_expires_at="lt:2100-01-01T00:00:00Z")
    (found,) = [one for one in expired if one["id"] == user["id"]]
    assert found["password_expires_at"].startswith(past.strftime("%Y-%m-%dT%H:%M:%S"))
    operator.identity.patch(f"/users/{user['id']}", "user", options={"ignore_password_expiry": True})
    assert operator.login(user["id"], PASSWORD) == 201


def test_an_expired_password_can_be_changed(sql: Connection, user: Json, operator: Account) -> None:
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    put(sql, user, expires_at=past.replace(tzinfo=None), expires_at_int=round(past.timestamp() * 1_000_000))
    change = {"user": {"original_password": PASSWORD, "password": "my own"}}
    path = f"{operator.auth_url}/users/{user['id']}/password"
    assert requests.post(path, json=change, timeout=60).status_code == 204
    assert operator.login(user["id"], "my own") == 201


def test_it_goes_with_the_user(sql: Connection, user: Json, operator: Account) -> None:
    operator.identity.call("DELETE", f"/users/{user['id']}")
    assert rows(sql, user) == []
