"""The clouds that the contract holds for: the embedded ones always, the real ones with PUMPHOUSE_CONTRACT_REAL=1."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import openstack
import pytest

from pumphouse.embedded.process import CloudProcess
from tests.acceptance import lab
from tests.acceptance.cleanup import Cleaner
from tests.acceptance.clouds import Account
from tests.contract.ground import ground  # noqa: F401 (a fixture)
from tests.contract.storage import blank, seed, volumes, written  # noqa: F401 (fixtures)

REAL = "PUMPHOUSE_CONTRACT_REAL"
CLOUDS = ["embedded-zed", "embedded-2026.1", *(["real-zed", "real-2026.1"] if os.environ.get(REAL) else [])]


def pytest_configure(config: pytest.Config) -> None:
    """The SDK warns of what it does itself."""
    for words in ("The .service_type. parameter is", "Support for InfluxDB"):
        config.addinivalue_line("filterwarnings", f"ignore:{words}")


@dataclasses.dataclass
class Contractor:
    """One cloud on which the tests run."""

    release: str
    operator: Account
    #: SQLAlchemy's URL of its Keystone's database.
    database: str
    #: In the names of all that is made, by which it is found again.
    prefix: str
    #: The process, where it is an embedded one.
    process: CloudProcess | None = None

    @functools.cached_property
    def domain(self) -> str:
        """The id of a domain of our own, with which all in it goes away."""
        made = self.operator.identity.post("/domains", "domain", name=f"{self.prefix} domain")
        return str(made["id"])

    def person(self, short: str) -> Account:
        """A new user, who is member of a new project."""
        identity, name, password = self.operator.identity, f"{self.prefix} {short}", secrets.token_urlsafe()
        project = identity.post("/projects", "project", name=name, domain_id=self.domain)
        user = identity.post("/users", "user", name=name, domain_id=self.domain, password=password)
        (role,) = identity.list("/roles", "roles", name="member")
        identity.put(f"/projects/{project['id']}/users/{user['id']}/roles/{role['id']}")
        return self.operator.as_user(user["id"], password, project["id"])


@functools.cache
def _lab() -> lab.Lab:
    return lab.start()


@contextlib.contextmanager
def _embedded(release: str, directory: Path) -> Iterator[Contractor]:
    with CloudProcess("cloud", release, directory) as process:
        entry = process.clouds_entry()
        account = Account(openstack.connect(load_yaml_config=False, load_envvars=False, **entry))
        yield Contractor(release, account, process.database, _prefix(), process)
    # What the server could not answer stands here: pytest shows it with the test that is the last.
    print((directory / "errors.log").read_text())


@contextlib.contextmanager
def _real(release: str) -> Iterator[Contractor]:
    if reason := lab.missing():
        pytest.skip(f"LEFT OUT, THE CONTRACT ON REAL CLOUDS: {reason}")
    both, side = _lab(), "source" if release == "zed" else "destination"
    yield Contractor(release, getattr(both, side), both.databases[side], _prefix())


def _prefix() -> str:
    return f"con{secrets.token_hex(3)}x"


@pytest.fixture(scope="session", params=CLOUDS)
def contractor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contractor]:
    """Each of the clouds, running; what was made there is gone afterwards."""
    kind, _, release = request.param.partition("-")
    running = _embedded(release, tmp_path_factory.mktemp(request.param)) if kind == "embedded" else _real(release)
    with running as cloud:
        yield cloud
        said: list[str] = []
        Cleaner(cloud.operator, cloud.prefix, said.append).clean()
        assert said == []


@pytest.fixture(scope="session")
def release(contractor: Contractor) -> str:
    """The cloud's."""
    return contractor.release


@pytest.fixture(scope="session")
def operator(contractor: Contractor) -> Account:
    """The administrator."""
    return contractor.operator


@pytest.fixture(scope="session")
def member(contractor: Contractor) -> Account:
    """A member of a fresh project."""
    return contractor.person("member")


@pytest.fixture(scope="session")
def other(contractor: Contractor) -> Account:
    """A member of another project."""
    return contractor.person("other")


@pytest.fixture(scope="session")
def name(contractor: Contractor) -> Callable[[str], str]:
    """Makes names that nobody else has."""
    numbers = itertools.count(1)
    return lambda short: f"{contractor.prefix} {short} {next(numbers)}"
