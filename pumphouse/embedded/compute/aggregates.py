"""Host aggregates: they make availability zones."""

from __future__ import annotations

import uuid
from typing import Any

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.base import Base
from pumphouse.embedded.compute.state import Json, long, now
from pumphouse.embedded.service import RefusedError, body, route

ZONE = "availability_zone"
METADATA = {
    "type": "object",
    "patternProperties": {schemas.KEY: {"type": ["string", "null"], "maxLength": 255}},
    "additionalProperties": False,
}


class Aggregates(Base):
    """``/os-aggregates``."""

    @route("GET", "/v2.1/os-aggregates")
    def list_aggregates(self) -> Json:
        """All."""
        self.demand("os-aggregates:index")
        return {"aggregates": [self._view_aggregate(one) for one in self.state.aggregates.values()]}

    @route("GET", "/v2.1/os-aggregates/<id_>")
    def show_aggregate(self, id_: str) -> Json:
        """One."""
        self.demand("os-aggregates:show")
        return {"aggregate": self._view_aggregate(self._aggregate(id_))}

    @route("POST", "/v2.1/os-aggregates")
    def create_aggregate(self) -> Json:
        """Without hosts."""
        self.demand("os-aggregates:create")
        properties = {"name": schemas.NAME, ZONE: schemas.NAME_OR_NULL}
        given = schemas.checked("aggregate", schemas.thing(("name",), **properties))
        self._check_name(given["name"])
        zone = given.get(ZONE)
        number = self.state.number("aggregates")
        made = self.state.aggregates[number] = {
            "id": number,
            "uuid": str(uuid.uuid4()),
            "name": given["name"],
            "hosts": [],
            "metadata": {ZONE: zone} if zone else {},
            "created_at": long(now()),
            "updated_at": None,
            "deleted_at": None,
            "deleted": False,
        }
        view = self._view_aggregate(made)
        return {"aggregate": {key: value for key, value in view.items() if key not in ("hosts", "metadata")}}

    @route("PUT", "/v2.1/os-aggregates/<id_>")
    def update_aggregate(self, id_: str) -> Json:
        """Its name and its zone."""
        self.demand("os-aggregates:update")
        properties = {"name": schemas.NAME, ZONE: schemas.NAME_OR_NULL}
        given = schemas.checked("aggregate", schemas.thing((), **properties))
        aggregate = self._aggregate(id_)
        if "name" in given and given["name"] != aggregate["name"]:
            self._check_name(given["name"])
            aggregate["name"] = given["name"]
        if ZONE in given:
            self._set(aggregate, {ZONE: given[ZONE]})
        aggregate["updated_at"] = long(now())
        return {"aggregate": self._view_aggregate(aggregate)}

    @route("DELETE", "/v2.1/os-aggregates/<id_>")
    def delete_aggregate(self, id_: str) -> tuple[None, int]:
        """Only one without hosts."""
        self.demand("os-aggregates:delete")
        aggregate = self._aggregate(id_)
        if aggregate["hosts"]:
            message = f"Cannot perform action 'delete' on aggregate {id_}. Reason: Host aggregate is not empty."
            raise RefusedError(400, message)
        del self.state.aggregates[aggregate["id"]]
        return None, 200

    @route("POST", "/v2.1/os-aggregates/<id_>/action")
    def act_on_aggregate(self, id_: str) -> Json:
        """add_host, remove_host, set_metadata."""
        action = next(iter(body()), "")
        if action not in ("add_host", "remove_host", "set_metadata"):
            raise RefusedError(400, f"There is no such action: {action}")
        self.demand(f"os-aggregates:{action}")
        key, schema = ("metadata", METADATA) if action == "set_metadata" else ("host", schemas.HOST)
        given = schemas.checked(action, schemas.thing((key,), **{key: schema}))[key]
        aggregate = self._aggregate(id_)
        if action == "set_metadata":
            self._set(aggregate, given)
        elif action == "add_host":
            self._add_host(aggregate, given)
        elif given not in aggregate["hosts"]:
            raise RefusedError(404, f"Cannot remove host {given} in aggregate {id_}")
        else:
            aggregate["hosts"].remove(given)
        aggregate["updated_at"] = long(now())
        return {"aggregate": self._view_aggregate(aggregate)}

    def _add_host(self, aggregate: Json, host: str) -> None:
        if host not in self.state.hosts:
            raise RefusedError(404, f"Compute host {host} could not be found.")
        if host in aggregate["hosts"]:
            raise RefusedError(409, f"Aggregate {aggregate['id']} already has host {host}.")
        aggregate["hosts"].append(host)

    def _set(self, aggregate: Json, changes: dict[str, Any]) -> None:
        """A value of null removes the key."""
        merged = {**aggregate["metadata"], **changes}
        aggregate["metadata"] = {key: value for key, value in merged.items() if value is not None}

    def _aggregate(self, id_: str) -> Json:
        found = self.state.aggregates.get(int(id_)) if id_.isdecimal() else None
        if found is None:
            raise RefusedError(404, f"Aggregate {id_} could not be found.")
        return found

    def _check_name(self, name: str) -> None:
        if any(one["name"] == name for one in self.state.aggregates.values()):
            raise RefusedError(409, f"Aggregate {name} already exists.")

    def _view_aggregate(self, aggregate: Json) -> Json:
        shown = {key: value for key, value in aggregate.items() if key != "uuid" or self.since(41)}
        return {**shown, ZONE: aggregate["metadata"].get(ZONE)}
