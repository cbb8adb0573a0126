"""The command line on clouds that are not there: planning and running are stand-ins, the rest is real.

Run as a program by the tests that need a terminal or signals: ``python fake_cli.py SCENARIO ARGUMENTS...``.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from pumphouse.planning.plan import Item, Loss, Plan, Unit
from pumphouse.transfer.progress import DONE, FAILED, RUNNING, STOPPED, UnitProgress

GIB = 2**30
SUM = "ab" * 64


def plan(action: str = "create", conflict: bool = False) -> Plan:
    """A tenant with a user, an image and a server, and something that does not move."""

    def item(type, id, name, size=0, **more):
        there = f"d-{id}" if action == "reuse" else None
        return Item(type, id, name, action, "why not", destination_id=there, bytes=size, **more)

    lost = [Loss("default_project_id", "p9", "of another tenant")]
    units = [
        Unit("identity:p1", "identity", "identity of acme", [item("user", "u1", "Zoë", losses=lost)]),
        Unit("image:i1", "image", "image wéird [red]name[/red]", [item("image", "i1", "wéird", GIB)]),
        Unit("server:s1", "server", "server web-1", [item("server", "s1", "web-1\x1b[2J", GIB)]),
    ]
    if conflict:
        units[2].items.append(Item("port", "o1", "eth0", "conflict", "10.0.0.5 is taken"))
    left = [Item("router", "r1", "gate", "skip", "routers do not move yet")]
    return Plan({"tenant": "acme"}, units, left, ["Passwords cannot move: set identity_database"])


def run(plan, store, *, concurrency, progress, stop, on_start, pace=0.0, fail=(), left=()):
    """Stand in for migrations.run: every unit takes some steps; those in ``fail`` fail; images in ``left`` stay."""
    options = {"concurrency": concurrency, "source": "old at http://old", "destination": "new at http://new"}
    units = [(unit.name, unit.kind, unit.title, unit.bytes) for unit in plan.units]
    migration = store.start_migration("http://old -> http://new", plan.selection, plan.to_json(), options, units)
    progress.units = {unit.name: UnitProgress(unit.name, unit.title, unit.bytes) for unit in plan.units}
    on_start(migration)
    failed = False
    for unit in plan.units:
        if stop.is_set():
            progress.state(unit.name, STOPPED)
            store.update_unit(migration, unit.name, state=STOPPED)
            continue
        progress.state(unit.name, RUNNING)
        started = time.time()
        for part in range(4):
            progress.step(unit.name, f"copying part {part}")
            progress.advance(unit.name, unit.bytes // 4)
            time.sleep(pace)
        state, error = (FAILED, "no valid host was found") if unit.name in fail else (DONE, "")
        failed |= state == FAILED
        progress.state(unit.name, state, error)
        store.update_unit(
            migration,
            unit.name,
            state=state,
            error=error,
            started=started,
            finished=time.time(),
            bytes_done=unit.bytes,
            downtime=4.2 if unit.kind == "server" else None,
        )
        if state == DONE:
            verify(store, migration, unit)
    for name in left:
        store.add_temporary(migration, plan.units[0].name, "destination", "image", name, name)
    store.add_event(migration, "end", "the end")
    store.set_migration_state(migration, "stopped" if stop.is_set() else "failed" if failed else "done")
    return migration


def verify(store, migration, unit):
    """Results of a unit that went well."""
    for item in unit.items:
        fields = [
            {
                "field": "name",
                "verdict": "equal",
                "source": item.name,
                "destination": item.name,
                "reason": "",
            },
            {"field": "empty", "verdict": "equal", "source": "", "destination": "", "reason": ""},
            {"field": "owner", "verdict": "mapped", "source": "p1", "destination": "p2", "reason": "project"},
            {
                "field": "host",
                "verdict": "not carried",
                "source": "<b>node</b>",
                "destination": None,
                "reason": "of the source",
            },
        ]
        data = {"size": item.bytes, "source_sha512": SUM, "destination_sha512": SUM} if item.bytes else None
        store.save_result(migration, unit.name, item.type, item.id, item.name, f"d-{item.id}", "equal", fields, data)


class Cloud:
    """A cloud that is never asked anything."""

    closed = 0

    @classmethod
    def open(cls, role, config, workers=4):
        return cls()

    def close(self):
        Cloud.closed += 1


def install(patch, database: str, *, the_plan: Plan | None = None, pace: float = 0.0, fail=(), left=()) -> None:
    """Put the stand-ins in place; ``patch(module name, attribute, value)``."""
    config = SimpleNamespace(
        path=Path("pumphouse.yaml"),
        clouds={"source": None, "destination": None},
        database=f"sqlite:///{database}",
        mappings={},
        carry_expiry=False,
    )

    def make_plan(source, destination, store, selection, say, mappings, carry_expiry):
        say("reading the source: servers...")
        return the_plan or plan()

    patch("pumphouse.config", "load", lambda path=None: config)
    patch("pumphouse.clouds.cloud", "Cloud", Cloud)
    patch("pumphouse.planning", "make_plan", make_plan)
    patch(
        "pumphouse.migrations",
        "run",
        lambda source, destination, store, plan, **more: run(plan, store, pace=pace, fail=fail, left=left, **more),
    )


def patch_for_good(module: str, name: str, value: object) -> None:
    """Replace something in a process of our own."""
    setattr(importlib.import_module(module), name, value)


if __name__ == "__main__":
    from pumphouse.cli.main import main

    scenario = dict(part.split("=") for part in sys.argv[1].split(","))
    install(
        patch_for_good,
        scenario["database"],
        the_plan=plan(scenario.get("action", "create")),
        pace=float(scenario.get("pace", "0")),
        fail=scenario.get("fail", "").split(),
    )
    sys.exit(main(sys.argv[2:]))
