"""What keeps thousands of things cheap gives the same as the plain way."""

from __future__ import annotations

import io
import random
import uuid
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from rich.console import Console
from taskflow.persistence import models as taskflow

from pumphouse.cli import plan_view
from pumphouse.planning.not_carried import _foreign_routers
from pumphouse.planning.plan import Item, Unit
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from pumphouse.store import logbook
from tests.unit import fakes


@pytest.fixture
def store():
    with fakes.new_store() as store:
        yield store


@pytest.fixture
def migration(store):
    return store.start_migration("pair", {}, {}, {})


def inventory(**lists):
    """Of a cloud with these resources; each list can be read once."""

    def listed(type_):
        def read(cloud, **scope):
            assert lists[type_] is not None, "read twice"
            found, lists[type_] = lists[type_], None
            return found

        return read

    types = {name: SimpleNamespace(plural=name, list=listed(name), id=lambda one: one["id"]) for name in lists}
    return Inventory(SimpleNamespace(role="destination"), types)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("type_", ["network", "security_group_rule", "floating_ip", "project"])
def test_counterparts_are_those_that_a_search_finds(type_, seed):
    chance = random.Random(seed)
    kind = TYPES[type_]

    def thing(number):
        return {"id": str(number), **{field.name: chance.choice([None, "", "a", "None"]) for field in kind.matching}}

    things, wanted = [thing(number) for number in range(40)], thing("wanted")
    alike = [one for one in things if all(f.same(wanted[f.name], one[f.name]) for f in kind.matching)]
    there = inventory(**{type_: things})
    for _ in range(2):
        assert list(kind._alike(there, wanted)) == alike


def test_a_port_is_found_by_its_mac_or_one_of_its_addresses():
    def port(id_, mac, *addresses):
        return {"id": id_, "network_id": "n", "mac_address": mac,
                "fixed_ips": [{"ip_address": address} for address in addresses]}  # fmt: skip

    there = inventory(port=[port("1", "aa", "10.0.0.1", "10.0.0.2"), port("2", "bb"), port("3", "cc", "10.0.0.3")])
    kind = TYPES["port"]

    def found(*wanted):
        one = kind.find(there, port("w", *wanted), {})
        return one and one["id"]

    assert [found("bb"), found("xx", "10.0.0.2"), found("xx", "10.0.0.9", "10.0.0.3"), found("cc", "10.0.0.9")] == [
        *("2", "1", "3", "3")
    ]
    assert found("xx", "10.0.0.9") is None
    assert found("xx") is None


def test_no_url_is_too_long():
    """Of a project with many networks: their ids go into the query."""
    asked = []

    def listed(collection, **query):
        if collection == "networks":
            return [{"id": str(number), "name": "n"} for number in range(250)]
        asked.append(query["network_id"])
        return [{"network_id": query["network_id"][0], "device_id": "r"}]

    network = SimpleNamespace(list=listed, get=lambda *_: {"id": "r", "name": "gate", "project_id": "other"})
    found = [one["id"] for one in _foreign_routers(SimpleNamespace(network=network), "project")]
    assert found == ["r/0", "r/100", "r/200"]
    assert [len(ids) for ids in asked] == [100, 100, 50]


def test_results_in_brief(store, migration):
    fields = [{"field": "name", "verdict": "equal"}]
    for name, verdict in (("a", "equal"), ("b", "differs"), ("c", "mapped"), ("d", "not verified")):
        store.save_result(migration, "u", "image", name, name, None, verdict, fields, {"size": 1})
    whole, brief = store.results(migration), store.results_in_brief(migration)
    assert [one.fields for one in brief] == [[], fields, [], fields]
    assert [one.source_id for one in brief] == ["a", "b", "c", "d"]
    assert {(one.verdict, one.unit, one.name, str(one.bytes)) for one in brief} == {
        (one.verdict, one.unit, one.name, str(one.bytes)) for one in whole
    }


def test_the_bytes_of_one_resource(store, migration):
    store.save_result(migration, "u", "image", "a", "a", None, "equal", [], {"size": 1})
    store.save_result(migration, "u", "image", "b", "b", None, "equal", [], None)
    assert store.bytes_of(migration, "image", "a") == {"size": 1}
    assert store.bytes_of(migration, "image", "b") is None
    assert store.bytes_of(migration, "volume", "a") is None


def test_a_tasks_progress_is_not_written(store):
    """Its state is, whatever the progress."""
    backend, _, flow = logbook.begin(store, "unit", str(uuid.uuid4()))
    task = taskflow.TaskDetail("task", str(uuid.uuid4()))
    flow.add(task)
    connection = backend.get_connection()
    connection.update_flow_details(flow)
    written = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *call: written.append(call[2].split()[0]))

    def save(**fields):
        written.clear()
        for name, value in fields.items():
            setattr(task, name, value)
        assert connection.update_atom_details(task).to_dict() == task.to_dict()
        return "UPDATE" in written

    assert save(state="RUNNING", meta={"progress": 0.0})
    assert not save(meta={"progress": 0.5})
    assert save(state="SUCCESS", meta={"progress": 1.0})
    assert not save(meta={"progress": 1.0})
    with store.engine.connect() as connection:
        details = logbook.TABLES.atomdetails
        assert connection.scalar(sa.select(details.c.state).where(details.c.uuid == task.uuid)) == "SUCCESS"


def test_units_are_shown_alike_with_short_and_long_names():
    """Only what is too long for a line takes a table."""

    def shown(*names):
        items = [Item("network", str(number), name, "create", "why") for number, name in enumerate(names)]
        stream = io.StringIO()
        unit = Unit("u", "network", "unit", items)
        console = Console(file=stream, width=100, height=100)
        plan_view._unit(unit, (3, 20, 30, 8, 10), console)
        return [" ".join(line.split()) for line in stream.getvalue().splitlines()]

    assert shown("net", "Größe 日本") == ["unit", "+ network net create why", "+ network Größe 日本 create why"]
    assert shown("net", "x" * 55)[1] == "+ network net create why"
    assert "".join(shown("net", "x" * 55)).count("x") == 55
