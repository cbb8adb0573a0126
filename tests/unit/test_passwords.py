"""Password hashes: of every era, only ever the current one, and never over a password that somebody has changed."""

from __future__ import annotations

import datetime

import pytest
import sqlalchemy as sa

from pumphouse.clouds import hashes
from pumphouse.clouds.hashes import rules_for_revisions
from pumphouse.clouds.passwords import PasswordRow, Passwords
from pumphouse.errors import CloudError

BCRYPT = "$2b$12$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUV0123456789"
SHA512 = "$6$rounds=10000$saltsaltsalt$" + "x" * 86
SCRYPT = "$scrypt$ln=16,r=8,p=1$saltsalt$" + "x" * 43
PBKDF2 = "$pbkdf2-sha512$25000$saltsalt$" + "x" * 86
RANDOM = BCRYPT[:-5] + "RANDO"

#: Tables by era, as in the migrations of Keystone.
LOCAL_USER = (
    "CREATE TABLE local_user (id INTEGER PRIMARY KEY, user_id VARCHAR(64), domain_id VARCHAR(64), name VARCHAR(255))"
)
ICEHOUSE = ["CREATE TABLE user (id VARCHAR(64) PRIMARY KEY, name VARCHAR(255), password VARCHAR(128))"]
MITAKA = [LOCAL_USER, "CREATE TABLE password (id INTEGER PRIMARY KEY, local_user_id INT, password VARCHAR(128))"]
NEWTON = [
    LOCAL_USER,
    "CREATE TABLE password (id INTEGER PRIMARY KEY, local_user_id INT, password VARCHAR(128), created_at DATETIME, "
    "expires_at DATETIME, self_service BOOLEAN)",
]
TIMES = "created_at DATETIME, expires_at DATETIME, created_at_int BIGINT DEFAULT 0 NOT NULL, expires_at_int BIGINT"
PIKE = [
    LOCAL_USER,
    "CREATE TABLE password (id INTEGER PRIMARY KEY, local_user_id INT, password VARCHAR(128), "
    f"password_hash VARCHAR(255), {TIMES}, self_service BOOLEAN)",
]
STEIN = [
    LOCAL_USER,
    "CREATE TABLE user (id VARCHAR(64) PRIMARY KEY)",
    "CREATE TABLE migrate_version (repository_id VARCHAR(250))",
    f"CREATE TABLE password (id INTEGER PRIMARY KEY, local_user_id INT, password_hash VARCHAR(255), {TIMES})",
]
YOGA = [*STEIN[:2], STEIN[3], "CREATE TABLE alembic_version (version_num VARCHAR(32))"]


class Database:
    """A Keystone's database in a file."""

    def __init__(self, path, tables, *revisions):
        self.url = f"sqlite:///{path}"
        self.engine = sa.create_engine(self.url)
        self.run(*tables, *(f"INSERT INTO alembic_version VALUES ('{revision}')" for revision in revisions))
        self.passwords = Passwords(self.url)

    def run(self, *statements, **values):
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), values)

    def user(self, name, *rows):
        """A user with rows of password, given as columns."""
        self.run("INSERT INTO local_user (user_id, domain_id, name) VALUES (:n, 'd', :n)", n=name)
        for row in rows:
            row = {"local_user_id": f"(SELECT id FROM local_user WHERE user_id = '{name}')"} | {
                key: "NULL" if value is None else repr(value) for key, value in row.items()
            }
            self.run(f"INSERT INTO password ({', '.join(row)}) VALUES ({', '.join(row.values())})".replace(":", r"\:"))

    def column(self, name):
        with self.engine.connect() as connection:
            return connection.execute(sa.text(f"SELECT {name} FROM password ORDER BY id")).scalars().all()


@pytest.fixture
def make(tmp_path):
    made = []

    def make(tables, *revisions):
        made.append(Database(tmp_path / f"keystone{len(made)}.sqlite", tables, *revisions))
        return made[-1]

    yield make
    for database in made:
        database.passwords.close()
        database.engine.dispose()


@pytest.fixture
def new(make):
    """A destination of 2026.1."""
    return make(YOGA, "742c857f1dfb", "c88cdce8f248")


def row(hash_, created=0, **more):
    return {"password_hash": hash_, "created_at_int": created, **more}


# Reading


def test_before_mitaka_the_hash_is_with_the_user(make):
    old = make(ICEHOUSE)
    old.run("INSERT INTO user VALUES ('u', 'Ann', :h), ('l', 'Lea', NULL)", h=SHA512)
    assert old.passwords.read("u").hash == SHA512
    assert not old.passwords.read("l").hash
    assert old.passwords.release() == "Icehouse to Liberty"
    assert old.passwords.replace("u", old.passwords.read("u"), SHA512.replace("salt", "pepp"))
    assert old.passwords.read("u").hash != SHA512


def test_mitaka(make):
    old = make(MITAKA)
    old.user("u", {"password": SHA512})
    assert old.passwords.read("u").hash == SHA512
    assert old.passwords.release() == "Mitaka to Ocata"


def test_newton_takes_the_newest_by_its_date(make):
    old = make(NEWTON)
    old.user(
        "u",
        {"password": SHA512, "created_at": "2020-01-02 00:00:00.000000", "expires_at": "2020-02-02 00:00:00.000000"},
        {"password": "older", "created_at": "2020-01-01 00:00:00.000000"},
    )
    found = old.passwords.read("u")
    assert found.hash == SHA512
    assert found.expires_at == datetime.datetime(2020, 2, 2, tzinfo=datetime.UTC)


def test_pike_has_it_in_one_column_or_the_other(make):
    old = make(PIKE)
    old.user("u", row(None, 5, password=SHA512))
    old.user("v", row(BCRYPT, 5, password=SHA512))
    assert {name: found.hash for name, found in old.passwords.hashes(["u", "v"]).items()} == {"u": SHA512, "v": BCRYPT}
    assert old.passwords.release() == "Pike to Rocky"


@pytest.mark.parametrize("tables", [STEIN, YOGA])
def test_the_newest_is_by_created_at_int_as_keystone_has_it(make, tables):
    old = make(tables, *(["29e87d24a316"] if tables is YOGA else []))
    old.user("u", row("a", 10), row(BCRYPT, 30, expires_at_int=1_600_000_000_000_000), row("b", 20), row("c", 0))
    found = old.passwords.read("u")
    assert found.hash == BCRYPT
    assert found.expires_at == datetime.datetime(2020, 9, 13, 12, 26, 40, tzinfo=datetime.UTC)


def test_users_without_a_password_here(new):
    new.user("nothing")
    new.user("null", row(None))
    assert new.passwords.read("ldap") is None
    assert new.passwords.read("nothing") is None
    assert new.passwords.read("null").hash is None


def test_many_users_at_once(new):
    with new.engine.begin() as connection:
        for number in range(1200):
            connection.execute(sa.text(f"INSERT INTO local_user VALUES ({number}, 'u{number}', 'd', 'n')"))
            connection.execute(
                sa.text(f"INSERT INTO password (local_user_id, password_hash) VALUES ({number}, 'h{number}')")
            )
    found = new.passwords.hashes(f"u{number}" for number in range(1300))
    assert len(found) == 1200
    assert all(found[f"u{number}"].hash == f"h{number}" for number in range(1200))


def test_no_hash_in_what_is_shown(new):
    new.user("u", row(BCRYPT))
    found = new.passwords.read("u")
    assert "$" not in repr(found)
    assert "$" not in f"{found} {new.passwords!r}"


# Replacing


def test_replaces_the_random_password_and_nothing_else(new):
    new.user("other", row(RANDOM, 5))
    new.user("u", row("history", 5), row(RANDOM, 10, expires_at_int=77))
    assert new.passwords.replace("u", new.passwords.read("u"), SCRYPT)
    assert new.column("password_hash") == [RANDOM, "history", SCRYPT]
    assert new.column("expires_at_int") == [None, None, 77]
    assert new.column("created_at_int") == [5, 5, 10]


@pytest.mark.parametrize("moment", [datetime.datetime(2020, 1, 2, 3, 4, 5, 6, datetime.UTC), None])
def test_expiry_can_come_along(new, moment):
    new.user("u", row("history", 5, expires_at_int=9), row(RANDOM, 10, expires_at_int=77))
    assert new.passwords.replace("u", new.passwords.read("u"), SCRYPT, like=PasswordRow(1, "x", moment))
    assert new.column("password_hash") == ["history", SCRYPT]
    assert new.passwords.read("u").expires_at == moment
    assert new.column("expires_at_int") == [9, moment and 1577934245000006]
    assert [bool(date) for date in new.column("expires_at")] == [False, bool(moment)], "Keystone reads both"


def test_a_password_that_is_let_expire_stays_the_same(new):
    moment = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
    new.user("u", row(RANDOM, 10))
    seen = new.passwords.read("u")
    assert new.passwords.expire("u", seen, moment)
    assert (new.passwords.read("u").hash, new.passwords.read("u").expires_at) == (RANDOM, moment)
    new.run("UPDATE password SET password_hash = 'own', expires_at_int = NULL")
    assert not new.passwords.expire("u", seen, moment)
    assert new.column("expires_at_int") == [None]


def test_before_newton_nothing_expires(make):
    old = make(MITAKA)
    old.user("u", {"password": SHA512})
    moment = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
    assert old.passwords.replace("u", old.passwords.read("u"), SHA512 + "x", like=PasswordRow(1, "x", moment))
    assert old.column("password") == [SHA512 + "x"]


def test_does_not_undo_a_password_that_was_changed(new):
    new.user("u", row(RANDOM, 10))
    seen = new.passwords.read("u")
    new.run("UPDATE password SET password_hash = 'own'")
    assert not new.passwords.replace("u", seen, BCRYPT)
    assert new.column("password_hash") == ["own"]


def test_does_not_touch_a_row_that_is_no_longer_the_newest(new):
    new.user("u", row(RANDOM, 10))
    seen = new.passwords.read("u")
    new.run("INSERT INTO password (local_user_id, password_hash, created_at_int) VALUES (1, 'own', 20)")
    assert not new.passwords.replace("u", seen, BCRYPT)
    assert new.column("password_hash") == [RANDOM, "own"]


def test_a_row_of_another_user_is_refused(new):
    new.user("u", row(RANDOM, 10))
    new.user("v", row(RANDOM, 10))
    assert not new.passwords.replace("u", new.passwords.read("v"), BCRYPT)
    assert new.column("password_hash") == [RANDOM, RANDOM]


def test_a_user_without_password_gets_none(new):
    new.user("u", row(None))
    assert not new.passwords.replace("u", new.passwords.read("u"), BCRYPT)


def test_a_hash_that_cannot_be_verified_is_never_written(new):
    new.user("u", row(RANDOM))
    with pytest.raises(CloudError, match="sha512_crypt") as caught:
        new.passwords.replace("u", new.passwords.read("u"), SHA512)
    assert "rounds" not in str(caught.value)
    assert new.column("password_hash") == [RANDOM]


# Releases


@pytest.mark.parametrize(
    ("revisions", "release", "sha512", "bcrypt_sha256"),
    [
        ({"29e87d24a316", "e25ffa003242"}, "Yoga to 2023.1", True, False),
        ({"11c3b243b4cb", "c88cdce8f248"}, "2023.2", True, False),
        ({"47147121", "c88cdce8f248"}, "2024.1 to 2025.2", False, True),
        ({"742c857f1dfb", "c88cdce8f248"}, "2026.1", False, True),
        ({"0123456789ab", "c88cdce8f248"}, "newer than 2026.1", False, True),
        # The tables are expanded before the new code runs.
        ({"742c857f1dfb", "e25ffa003242"}, "2023.1 to 2026.1", False, False),
        (set(), "newer than 2026.1", False, True),
    ],
)
def test_releases_by_revision(revisions, release, sha512, bcrypt_sha256):
    rules = rules_for_revisions(revisions)
    assert rules.release == release
    assert ("$6$" in rules.idents) is sha512
    assert ("$bcrypt-sha256$" in rules.idents) is bcrypt_sha256
    assert {"$2b$", "$2a$", "$2y$", "$scrypt$", "$pbkdf2-sha512$"} <= rules.idents


@pytest.mark.parametrize("tables", [ICEHOUSE, MITAKA, NEWTON])
def test_before_pike_only_sha512_crypt_is_known(make, tables):
    old = make(tables).passwords
    assert old.verifiable_idents() == {"$6$"}
    assert old.why_not(SHA512) is None
    assert old.why_not(BCRYPT).startswith("a bcrypt hash, which Keystone ")


@pytest.mark.parametrize("tables", [PIKE, STEIN])
def test_from_pike_to_xena_everything_is_known_but_bcrypt_sha256(make, tables):
    old = make(tables).passwords
    assert [old.why_not(hash_) for hash_ in (SHA512, BCRYPT, SCRYPT, PBKDF2)] == [None] * 4
    assert old.why_not("$bcrypt-sha256$v=2$x").startswith("a bcrypt_sha256 hash, which Keystone ")


def test_why_not(new):
    why_not = new.passwords.why_not
    assert why_not(BCRYPT) is None
    assert why_not(SHA512) == "a sha512_crypt hash, which Keystone 2026.1 is not known to verify"
    assert why_not("{SSHA}abc") == "a hash of an unknown kind, which Keystone 2026.1 is not known to verify"
    assert (
        why_not("$argon2id$v=19$secret") == "a $argon2id$ (unknown) hash, which Keystone 2026.1 is not known to verify"
    )
    assert why_not(BCRYPT[:60] + "x" * 300) == "a hash of 360 characters, and Keystone 2026.1 has room for 255"


def test_ident(new):
    assert [new.passwords.ident(h) for h in (BCRYPT, SHA512, SCRYPT, PBKDF2, "plain", "$", "")] == [
        *("$2b$", "$6$", "$scrypt$", "$pbkdf2-sha512$"),
        *("", "", ""),
    ]
    assert hashes.kind("$2y$") == "bcrypt"


# What the check shows, and what goes wrong


def test_status_counts_current_hashes_and_changes_nothing(new):
    new.user("u", row(SHA512, 1), row(BCRYPT, 2))
    new.user("v", row(SHA512, 1))
    new.user("w", row(None))
    before = new.column("password_hash")
    state = new.passwords.status()
    assert state.counts == {"$2b$": 1, "$6$": 1}
    assert state.release == "2026.1"
    assert state.writable
    assert new.column("password_hash") == before


def test_status_of_what_may_only_be_read(new, tmp_path):
    new.user("u", row(BCRYPT))
    reader = Passwords(f"sqlite:///file:{tmp_path}/keystone0.sqlite?mode=ro&uri=true")
    assert reader.status().writable is False
    assert reader.read("u").hash == BCRYPT


def test_another_services_database(make):
    with pytest.raises(
        CloudError, match="shows no tables local_user and password; name Keystone's database, and grant"
    ):
        make(["CREATE TABLE instances (id INT)"]).passwords.release()


def test_the_release_must_be_visible(make):
    with pytest.raises(CloudError, match="shows neither alembic_version nor migrate_version; grant SELECT on them"):
        make(YOGA[:-1]).passwords.release()


def test_an_unreachable_database_is_told_without_its_password():
    passwords = Passwords("mysql+pymysql://k:s3cret@127.0.0.1:1/keystone?charset=utf8mb4")
    with pytest.raises(CloudError) as caught:
        passwords.read("u")
    told = str(caught.value)
    assert told.startswith("the identity database mysql+pymysql://k:***@127.0.0.1:1/keystone cannot be used: ")
    assert "Connection refused" in told
    assert "s3cret" not in told
    assert caught.value.__cause__ is None
