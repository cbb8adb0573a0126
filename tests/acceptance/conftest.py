"""One tenant is built, photographed, moved and photographed again, once for all tests here."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import disks, every_field, lab, tenant
from tests.acceptance import everything as everything_tenant
from tests.acceptance.cleanup import Cleaner
from tests.acceptance.command import Done, Pumphouse
from tests.acceptance.counterparts import Sides
from tests.acceptance.disks import Disk
from tests.acceptance.everything import cases as cases_tenant
from tests.acceptance.lab import Lab
from tests.acceptance.photograph import Photograph, everything, photograph
from tests.acceptance.tenant.model import Tenant
from tests.acceptance.tenant.servers import destroy_failing

HERE = Path(__file__).parent
#: Leave the tenant on both clouds when the tests end: for looking into a failure.
KEEP = "PUMPHOUSE_KEEP"


def pytest_configure(config: pytest.Config) -> None:
    """The SDK warns of what it does itself."""
    for words in ("The .service_type. parameter is", "Support for InfluxDB"):
        config.addinivalue_line("filterwarnings", f"ignore:{words}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What makes tenants of its own comes last: the others photograph all projects of both clouds.

    What empties hosts comes first: it would move everybody's servers.
    """
    first, later = {"racks", "datacentre"}, {"whole", "cases", "site"}

    def place(item: pytest.Item) -> int:
        names = set(getattr(item, "fixturenames", ()))
        return bool(later & names) - bool(first & names)

    places = [number for number, item in enumerate(items) if HERE in item.path.parents]
    for number, item in zip(places, sorted((items[number] for number in places), key=place), strict=True):
        items[number] = item


@dataclasses.dataclass
class Moment:
    """Both clouds as they were at one time."""

    source: Photograph
    destination: Photograph
    #: All that could be left behind, in all projects.
    source_all: Photograph
    destination_all: Photograph


@dataclasses.dataclass
class Moved:
    """The migration, run once."""

    done: Done
    after: Moment
    #: As ``pumphouse report ID -f json`` gives it.
    report: dict[str, Any]

    @property
    def id(self) -> str:
        """The migration's id, for the command line."""
        return str(self.report["migration"]["id"])


@dataclasses.dataclass
class Again:
    """The second run, after the server that cannot run in the destination is gone."""

    plan: Done
    done: Done
    before: Moment
    after: Moment


@pytest.fixture(scope="session")
def clouds() -> Lab:
    """The two clouds, running."""
    if reason := lab.missing():
        pytest.skip(f"LEFT OUT, THE PROOF ON TWO CLOUDS: {reason}")
    return lab.start()


@pytest.fixture(scope="session")
def pumphouse(clouds: Lab, tmp_path_factory: pytest.TempPathFactory) -> Pumphouse:
    """The command."""
    return Pumphouse(tmp_path_factory.mktemp("pumphouse"), clouds.clouds_file, clouds.databases)


@pytest.fixture(scope="session")
def built(clouds: Lab) -> Iterator[Tenant]:
    """The awkward tenant."""
    prefix = tenant.new_prefix()
    try:
        yield tenant.build(clouds.source, clouds.destination, prefix)
    finally:
        if not os.environ.get(KEEP):
            for cloud in (clouds.source, clouds.destination):
                Cleaner(cloud, prefix).clean()


def snap(clouds: Lab, built: Tenant) -> Moment:
    """Both clouds now. On clouds that others use too, only what is the run's own or names it counts."""
    own = (lambda thing: True) if clouds.own else (lambda thing: built.prefix in str(thing))
    return Moment(
        photograph(clouds.source, built.prefix, clouds.databases["source"]),
        photograph(clouds.destination, built.prefix, clouds.databases["destination"]),
        everything(clouds.source, own),
        everything(clouds.destination, own),
    )


def settled(clouds: Lab, built: Tenant) -> Moment:
    """Both clouds, when nothing moves any more: agents report some seconds after a server has started."""
    moment = snap(clouds, built)
    for _ in range(15):
        time.sleep(2)
        later = snap(clouds, built)
        if later == moment:
            break
        moment = later
    return moment


@pytest.fixture(scope="session")
def before(clouds: Lab, built: Tenant) -> Moment:
    """Both clouds before Pumphouse has looked at them."""
    return settled(clouds, built)


def chosen(built: Tenant) -> list[str]:
    """The options that name the tenant."""
    return ["--tenant", built.name("project", "tenant"), "--domain", built.domain]


@pytest.fixture(scope="session")
def dry_run(pumphouse: Pumphouse, built: Tenant, before: Moment) -> Done:
    """The plan, as JSON."""
    return pumphouse.run("migrate", *chosen(built), "--dry-run", "-f", "json")


@pytest.fixture(scope="session")
def planned(clouds: Lab, built: Tenant, dry_run: Done) -> Moment:
    """Both clouds after the dry run."""
    return snap(clouds, built)


@pytest.fixture(scope="session")
def moved(clouds: Lab, pumphouse: Pumphouse, built: Tenant, planned: Moment) -> Moved:
    """The migration. One of the servers cannot run in the destination, so it ends with 1."""
    done = pumphouse.run("migrate", *chosen(built), "--yes", "-f", "json")
    assert done.code in (0, 1), done.said
    id_ = done.json()["migration"]["id"]
    print(done.said)
    return Moved(done, snap(clouds, built), pumphouse.run("report", str(id_), "-f", "json").json())


@pytest.fixture(scope="session")
def sides(built: Tenant, before: Moment, moved: Moved) -> Sides:
    """What was, and what came of it."""
    return Sides(built, before.source, moved.after.destination)


@dataclasses.dataclass
class Whole:
    """The tenant with everything, after its one migration."""

    tenant: Tenant
    done: Done
    #: Of each type, what became of its fields.
    rows: dict[str, every_field.Row]
    here: every_field.Side
    there: every_field.Side


@pytest.fixture(scope="session")
def whole(clouds: Lab, pumphouse: Pumphouse) -> Iterator[Whole]:
    """The tenant with everything, moved."""
    prefix = tenant.new_prefix("evr")
    try:
        made = everything_tenant.build(clouds.source, clouds.destination, prefix)
        here = every_field.Side(clouds.source, prefix)
        done = everything_tenant.move(pumphouse, made)
        print(done.said)
        there = every_field.Side(clouds.destination, prefix)
        yield Whole(made, done, every_field.rows(made, here, there), here, there)
    finally:
        if not os.environ.get(KEEP):
            for cloud in (clouds.source, clouds.destination):
                Cleaner(cloud, prefix).clean()


@pytest.fixture(scope="session")
def cases(clouds: Lab) -> Iterator[Tenant]:
    """Small projects with what is told of one by one."""
    prefix = tenant.new_prefix("cas")
    try:
        yield cases_tenant.build(clouds.source, clouds.destination, clouds.databases["source"], prefix)
    finally:
        if not os.environ.get(KEEP):
            for cloud in (clouds.source, clouds.destination):
                Cleaner(cloud, prefix).clean()


@dataclasses.dataclass
class Disks:
    """The bytes on both sides, by "server web", "volume data"."""

    source: dict[str, Disk]
    destination: dict[str, Disk]


@pytest.fixture(scope="session")
def bytes_of(clouds: Lab, built: Tenant, sides: Sides) -> Disks:
    """Every disk and volume; read once, after the migration."""
    source = disks.read(
        clouds.source,
        {short: built.id("server", short) for short in ("web", "off", "failing")},
        dict(built.ids["volume"]),
    )
    destination = disks.read(
        clouds.destination,
        {short: sides.there("server", short)["id"] for short in ("web", "off")},
        {short: sides.there("volume", short)["id"] for short in ("detached", "web", "bfv", "root")},
    )
    return Disks(source, destination)


@pytest.fixture(scope="session")
def again(clouds: Lab, pumphouse: Pumphouse, built: Tenant, bytes_of: Disks) -> Again:
    """The same command once more, when the server that would fail again is deleted."""
    destroy_failing(clouds.source, built)
    earlier = settled(clouds, built)
    plan = pumphouse.run("migrate", *chosen(built), "--dry-run", "-f", "json")
    done = pumphouse.run("migrate", *chosen(built), "--yes", "-f", "json")
    return Again(plan, done, earlier, snap(clouds, built))
