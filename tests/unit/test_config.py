"""The configuration: a public contract, and complaints that an operator can act upon."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from pumphouse import config
from pumphouse.database_url import masked
from pumphouse.errors import ConfigError

GOOD = """
clouds:
  source: {cloud: old, identity_database: "mysql+pymysql://k:old-pw@db/keystone"}
  destination: {cloud: new}
database: "sqlite:////var/lib/pumphouse.sqlite"
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home and a working directory without anybody's configuration."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PUMPHOUSE_CONFIG", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


def write(path, text=GOOD):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def complaint(tmp_path, text):
    file = write(tmp_path / "p.yaml", text)
    with pytest.raises(ConfigError) as caught:
        config.load(str(file))
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{file}: ")
    return line.removeprefix(f"{file}: ")


def test_reads_what_the_contract_promises(tmp_path):
    found = config.load(str(write(tmp_path / "p.yaml")))
    assert found.clouds["source"].cloud == "old"
    assert found.clouds["source"].identity_database == "mysql+pymysql://k:old-pw@db/keystone"
    assert found.clouds["destination"] == config.CloudConfig("new", None)
    assert found.database == "sqlite:////var/lib/pumphouse.sqlite"
    assert found.path == tmp_path / "p.yaml"


def test_cannot_be_changed_and_does_not_show_urls(tmp_path):
    found = config.load(str(write(tmp_path / "p.yaml")))
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.database = "x"
    assert "old-pw" not in repr(found)


def test_search_order(tmp_path, home, monkeypatch):
    with pytest.raises(ConfigError, match="no configuration was found; name one with --config or PUMPHOUSE_CONFIG"):
        config.load()
    user = write(home / ".config/pumphouse/pumphouse.yaml")
    assert config.load().path == user
    here = write(tmp_path / "work/pumphouse.yaml")
    assert config.load().path.absolute() == here
    named = write(tmp_path / "named.yaml")
    monkeypatch.setenv("PUMPHOUSE_CONFIG", str(named))
    assert config.load().path == named
    option = write(tmp_path / "option.yaml")
    assert config.load(str(option)).path == option


def test_a_named_file_must_exist_and_no_other_is_taken_instead(tmp_path, monkeypatch):
    write(tmp_path / "work/pumphouse.yaml")
    monkeypatch.setenv("PUMPHOUSE_CONFIG", "/nowhere.yaml")
    with pytest.raises(ConfigError, match=r"/nowhere.yaml: there is no such file; it was named by PUMPHOUSE_CONFIG"):
        config.load()


def test_secrets_from_environment_and_files(tmp_path, monkeypatch):
    monkeypatch.setenv("OLD_DB", "mysql+pymysql://k:p%40ss@db/keystone")
    (tmp_path / "secret").write_text("mariadb+pymysql://k:file@db/keystone\n")
    text = GOOD.replace('"mysql+pymysql://k:old-pw@db/keystone"', "{env: OLD_DB}")
    text = text.replace("{cloud: new}", "{cloud: new, identity_database: {file: secret}}")
    found = config.load(str(write(tmp_path / "p.yaml", text)))
    assert found.clouds["source"].identity_database == "mysql+pymysql://k:p%40ss@db/keystone"
    assert found.clouds["destination"].identity_database == "mariadb+pymysql://k:file@db/keystone"


def test_default_database_is_in_the_state_directory_of_its_owner_only(tmp_path, home, monkeypatch):
    text = GOOD.replace("database: ", "#").replace("identity_#", "identity_database: ")
    found = config.load(str(write(tmp_path / "p.yaml", text)))
    assert found.database == f"sqlite:///{home}/.local/state/pumphouse/pumphouse.sqlite"
    assert stat.S_IMODE((home / ".local/state/pumphouse").stat().st_mode) == 0o700
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert config.load(str(tmp_path / "p.yaml")).database == f"sqlite:///{tmp_path}/state/pumphouse/pumphouse.sqlite"


def test_relative_sqlite_file_is_beside_the_configuration(tmp_path):
    text = GOOD.replace("sqlite:////var/lib/pumphouse.sqlite", "sqlite:///mine.sqlite?timeout=5")
    assert config.load(str(write(tmp_path / "p.yaml", text))).database == f"sqlite:///{tmp_path}/mine.sqlite?timeout=5"


def test_a_scheme_without_driver_gets_the_one_that_is_installed(tmp_path):
    text = GOOD.replace("mysql+pymysql", "mysql")
    found = config.load(str(write(tmp_path / "p.yaml", text)))
    assert found.clouds["source"].identity_database == "mysql+pymysql://k:old-pw@db/keystone"


URL = "clouds.source.identity_database"
SECRET = "allowed: a string, {env: NAME} or {file: PATH}"


@pytest.mark.parametrize(
    ("old", "new", "path", "why"),
    [
        (
            'database: "sqlite',
            'databse: "sqlite',
            "databse",
            "there is no such key; did you mean database? allowed: clouds",
        ),
        (
            "source:",
            "sorce:",
            "clouds.sorce",
            "there is no such key; did you mean source? allowed: source, destination",
        ),
        ("cloud: new", "colud: new", "clouds.destination.colud", "there is no such key; did you mean cloud?"),
        ("{cloud: new}", "{}", "clouds.destination.cloud", "this key is missing; allowed: cloud, identity_database"),
        ("{cloud: new}", "new", "clouds.destination", "this is a string; it must be a mapping, allowed: cloud"),
        ("new", "7", "clouds.destination.cloud", "is a number; allowed: the name of an entry in clouds.yaml"),
        ("new", "yes", "clouds.destination.cloud", "is true or false; allowed: the name of an entry"),
        ("new", "", "clouds.destination.cloud", "is empty; allowed: the name of an entry"),
    ],
)
def test_wrong_keys_and_types(tmp_path, old, new, path, why):
    assert old in GOOD
    assert complaint(tmp_path, GOOD.replace(old, new, 1)).startswith(f"{path}: {why}")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("[old-pw]", f": is a list; {SECRET}"),
        ("''", f": is empty; {SECRET}"),
        ("{envv: X}", f": is a mapping of 'envv'; {SECRET}"),
        ("{env: NOT_SET_HERE}", ".env: the environment has no variable NOT_SET_HERE; set it"),
        ("{file: /none}", ".file: /none cannot be read: No such file"),
        ("old-pw", ": is not a SQLAlchemy URL; allowed: a SQLAlchemy URL such as"),
        ("mysql+pymysql://k:old-pw@db", ": names no database; allowed: a SQLAlchemy URL such as"),
        ("mysql+pymysql://k:old-pw@db:x/k", ": is not a SQLAlchemy URL; special characters in user or password"),
        (
            "mysql+pymsql://k:old-pw@db/k",
            ": mysql+pymsql:// is no database that SQLAlchemy knows; did you mean mysql+py",
        ),
        ("postgres://k:old-pw@db/k", ": postgres:// is no database that SQLAlchemy knows; did you mean postgresql"),
        (
            "mysql+mysqldb://k:old-pw@db/k",
            ": mysql+mysqldb:// needs the Python module MySQLdb, which is not installed; use mysql+pymysql://",
        ),
    ],
)
def test_wrong_urls_and_secrets(tmp_path, value, why):
    line = complaint(tmp_path, GOOD.replace('"mysql+pymysql://k:old-pw@db/keystone"', value))
    assert line.startswith(f"{URL}{why}")
    assert "old-pw" not in line


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("clouds:", "clouds: {", "line 4, column 3: this is not YAML: "),
        ("destination:", "source:", "line 4, column 3: this is not YAML: the key 'source' is given twice"),
    ],
)
def test_wrong_yaml(tmp_path, old, new, why):
    line = complaint(tmp_path, GOOD.replace(old, new, 1))
    assert line.startswith(why)
    assert "old-pw" not in line


@pytest.mark.parametrize(("text", "kind"), [("", "empty"), ("[]", "a list"), ("x", "a string")])
def test_a_file_that_is_no_mapping(tmp_path, text, kind):
    assert (
        complaint(tmp_path, text)
        == f"the file is {kind}; it must be a mapping, allowed: clouds, database, mappings, networks, passwords, api"
    )


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r": cannot be read: Is a directory"):
        config.load(str(tmp_path))
    (tmp_path / "p.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        config.load(str(tmp_path / "p.yaml"))


def test_the_sample_can_be_used(tmp_path, monkeypatch):
    monkeypatch.setenv("PUMPHOUSE_SOURCE_KEYSTONE", "mysql://k:pw@old/keystone")
    (tmp_path / "url").write_text("mysql://k:pw@new/keystone\n")
    text = (Path(__file__).parents[2] / "etc/pumphouse.yaml").read_text()
    assert "/etc/pumphouse/destination-keystone.url" in text
    found = config.load(str(write(tmp_path / "p.yaml", text.replace("/etc/pumphouse/destination-keystone.url", "url"))))
    assert {role: cloud.cloud for role, cloud in found.clouds.items()} == {"source": "old", "destination": "new"}
    assert found.clouds["destination"].identity_database == "mysql+pymysql://k:pw@new/keystone"


def test_masked_hides_the_password_and_options():
    assert masked("mysql+pymysql://k:s3cret@db/x?ssl_key=y") == "mysql+pymysql://k:***@db/x"
    assert masked("s3cret") == "(not a URL)"


def test_names_that_differ_between_the_clouds(tmp_path):
    text = f"{GOOD}mappings: {{networks: {{public: ext-net}}, volume_types: {{}}}}\n"
    found = config.load(str(write(tmp_path / "p.yaml", text)))
    assert found.mappings == {"networks": {"public": "ext-net"}, "volume_types": {}}
    assert config.load(str(write(tmp_path / "q.yaml"))).mappings == {}


@pytest.mark.parametrize(
    ("mappings", "why"),
    [
        ("[]", "mappings: this is a list; it must be a mapping, allowed: domains, roles, flavors"),
        ("{network: {}}", "mappings.network: there is no such key; did you mean networks? allowed: domains"),
        ("{roles: [member]}", "mappings.roles: is a list; allowed: a mapping of names"),
        ("{roles: {member: }}", "mappings.roles.member: the name in the destination is empty; allowed: a text"),
        ("{roles: {member: ''}}", "mappings.roles.member: the name in the destination is empty; allowed: a text"),
        ("{roles: {12: x}}", "mappings.roles.12: the name in the source is a number; allowed: a text; write it in"),
        ("{roles: {x: {}}}", "mappings.roles.x: the name in the destination is a mapping; allowed: a text"),
    ],
)
def test_wrong_mappings(tmp_path, mappings, why):
    assert complaint(tmp_path, f"{GOOD}mappings: {mappings}\n").startswith(why)


def test_expiry_of_passwords(tmp_path):
    text = f"{GOOD}passwords: {{carry_expiry: true}}\n"
    assert config.load(str(write(tmp_path / "p.yaml", text))).carry_expiry is True
    assert config.load(str(write(tmp_path / "q.yaml"))).carry_expiry is False
    why = "passwords.carry_expiry: is a string; allowed: true or false"
    assert complaint(tmp_path, f"{GOOD}passwords: {{carry_expiry: soon}}\n") == why


def test_the_service_as_usual_and_as_told(tmp_path):
    assert config.load(str(write(tmp_path / "p.yaml"))).api == config.ApiConfig()
    told = "api: {host: 10.0.0.5, port: 443, trust_proxy: 1, keystone_roles: {admin: admin, _member_: operator}}\n"
    api = config.load(str(write(tmp_path / "q.yaml", GOOD + told))).api
    assert (api.host, api.port, api.trust_proxy, api.threads) == ("10.0.0.5", 443, 1, 256)
    assert api.keystone_roles == {"admin": "admin", "_member_": "operator"}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("{prot: 80}", "api.prot: there is no such key; did you mean port?"),
        ("{port: true}", "api.port: is true or false; allowed: a whole number from 0 to 65535"),
        ("{port: 70000}", "api.port: is a number; allowed: a whole number from 0 to 65535"),
        ("{threads: '9'}", "api.threads: is a string; allowed: a whole number from 8 to 2000"),
        ("{host: 5}", "api.host: is a number; allowed: an address or a name"),
        ("{keystone_roles: [admin]}", "api.keystone_roles: is a list; allowed: a mapping"),
        ("{keystone_roles: {admin: king}}", "api.keystone_roles.admin: is something else; allowed: viewer, operator"),
    ],
)
def test_wrong_services(tmp_path, told, why):
    assert complaint(tmp_path, f"{GOOD}api: {told}\n").startswith(why)
