"""The API over a database of its own and clouds that are only named, asked as a client asks it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

from pumphouse.api.app import create_app
from pumphouse.api.services import Services
from pumphouse.api.stream import Stream
from pumphouse.config import ApiConfig
from pumphouse.planning.plan import Finding, Item, Loss, Plan, Unit
from pumphouse.store import Store, access, plans

PAIR = "old -> new"


class FakeClouds:
    """Both, by name."""

    pair = PAIR

    def cloud(self, role):
        return SimpleNamespace(role=role, name=role, key={"source": "old", "destination": "new"}[role])

    def close(self):
        pass


@dataclasses.dataclass
class Api:
    """An application, and a client for each role."""

    store: Store
    stream: Stream
    app: Any
    tokens: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None, role: str = "operator", **headers: str) -> Any:
        """The response to one request."""
        told = {"Authorization": f"Bearer {self.tokens[role]}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        given = {"json": body} if body is not None else {}
        return self.app.test_client().open(path, method=method, headers=told, **given)

    def get(self, path: str, role: str = "viewer", **headers: str) -> Any:
        """Read."""
        return self.ask("GET", path, role=role, **headers)

    def post(self, path: str, body: Any, role: str = "operator", **headers: str) -> Any:
        """Change."""
        return self.ask("POST", path, body, role, **headers)

    def audits(self) -> list[dict[str, Any]]:
        """What was written down of who did what."""
        return [item for item in self.get("/v1/audit", "admin").json["items"] if item["action"] != "token.create"][::-1]


def open_api(store: Store, clouds: Any = None) -> Api:
    """All routes of migrations, with the audit."""
    stream = Stream(store)
    services = Services(SimpleNamespace(api=ApiConfig()), store, clouds or FakeClouds(), stream)
    modules = ("plans", "migrations", "units", "jobs", "events", "leftovers", "audit")
    tokens = {role: access.create_token(store, f"some {role}", role)[1] for role in access.ROLES}
    return Api(store, stream, create_app(services, modules), tokens)


def item(type_: str, id_: str, action: str = "create", **more: Any) -> Item:
    """A resource in a plan."""
    return Item(type_, id_, f"{type_} {id_}", action, more.pop("reason", ""), **more)


def a_plan(*findings: Finding, tenant: str = "acme", servers: int = 2) -> Plan:
    """A tenant with some servers."""
    project = Unit("identity:p1", "identity", "identity of acme", [item("project", "p1")])
    units = [
        Unit(
            f"server:s{n}", "server", f"server web-{n}",
            [item("server", f"s{n}", bytes=100, losses=[Loss("tags", ["a"], "not there")])], ["identity:p1"],
        )
        for n in range(servers)
    ]  # fmt: skip
    estimate = {
        "bytes": 100 * servers, "seconds": 60, "bytes_per_second": 10, "basis": ["assumed"],
        "servers": [{"id": f"s{n}", "name": f"web-{n}", "bytes": 100, "downtime": 20 + n} for n in range(servers)],
    }  # fmt: skip
    left = item("volume", "v1", "skip", reason="in use")
    return Plan({"tenant": tenant}, [project, *units], [left], ["A note."], list(findings), estimate=estimate)


def a_ready_plan(store: Store, plan: Plan | None = None) -> int:
    """A plan that was asked for and made; its id."""
    made = plan or a_plan()
    row = plans.add(store, PAIR, made.selection, "somebody")
    plans.ready(store, row.id, made.to_json())
    return row.id


def a_migration(store: Store, plan: Plan | None = None, state: str = "running", **options: Any) -> int:
    """One that was begun; its id."""
    made = plan or a_plan()
    units = [(unit.name, unit.kind, unit.title, unit.bytes) for unit in made.units]
    options = {"operator": "root", "concurrency": 1, **options}
    return store.start_migration(PAIR, made.selection, made.to_json(), options, units, state)
