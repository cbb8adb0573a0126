"""Flavors, their extra specs, and which projects may use private ones."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.base import Base
from pumphouse.embedded.compute.schemas import Schema
from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.service import RefusedError, body, paged, route

EPHEMERAL, PUBLIC, DISABLED = "OS-FLV-EXT-DATA:ephemeral", "os-flavor-access:is_public", "OS-FLV-DISABLED:disabled"
SIZE: Schema = {**schemas.NOT_NEGATIVE, "maximum": schemas.LARGEST}
TEXT: Schema = {"type": ["string", "null"], "minLength": 0, "maxLength": 65535}
ID: Schema = {
    "type": ["string", "number", "null"],
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^(?! )[a-zA-Z0-9. _-]+(?<! )$",
}
SPECS: Schema = {
    "type": "object",
    "patternProperties": {schemas.KEY: {"type": ["string", "number"], "maxLength": 255}},
    "additionalProperties": False,
}


class Flavors(Base):
    """``/flavors`` and what is below it."""

    def flavor(self, id_: str) -> Json:
        """One that the request may see. Refuses others."""
        found = self.state.flavors.get(id_)
        if found is None or not self._usable(found):
            raise RefusedError(404, f"Flavor {id_} could not be found.")
        return found

    def _usable(self, flavor: Json) -> bool:
        return self.token.admin or flavor[PUBLIC] or self.token.project_id in flavor["projects"]

    @route("GET", "/v2.1/flavors")
    def list_flavors(self) -> Json:
        """Their names."""
        return self._listed("flavors", self._brief)

    @route("GET", "/v2.1/flavors/detail")
    def list_flavors_in_detail(self) -> Json:
        """All about them."""
        return self._listed("flavors/detail", self._view)

    def _listed(self, path: str, view: Any) -> Json:
        limit, marker = self.limits()
        page, _ = paged(sorted(self._wanted(), key=lambda flavor: str(flavor["id"])), limit, marker)
        found = {"flavors": [view(flavor) for flavor in page]}
        if links := self.next_links(path, page, limit):
            found["flavors_links"] = links
        return found

    def _wanted(self) -> list[Json]:
        public = self._public()
        least = {"ram": self._least("minRam"), "disk": self._least("minDisk")}
        name = request.args.get("name") if self.since(102) else None
        return [
            flavor
            for flavor in self.state.flavors.values()
            if (public in (None, flavor[PUBLIC]) or (public and self.token.project_id in flavor["projects"]))
            and all(flavor[key] >= value for key, value in least.items())
            and name in (None, flavor["name"])
        ]

    def _public(self) -> bool | None:
        """Which are asked for; only administrators may ask. None: all."""
        given = request.args.get("is_public") if self.token.admin else None
        if given is None:
            return True
        if given.lower() == "none":
            return None
        if given.lower() not in ("true", "false", "t", "f", "1", "0", "yes", "no", "y", "n", "on", "off"):
            raise RefusedError(400, f"Invalid is_public filter [{given}]")
        return given.lower() in ("true", "t", "1", "yes", "y", "on")

    def _least(self, name: str) -> int:
        given = request.args.get(name, "0")
        if not given.isdecimal():
            raise RefusedError(400, f"Invalid {name} filter [{given}]")
        return int(given)

    @route("GET", "/v2.1/flavors/<id_>")
    def show_flavor(self, id_: str) -> Json:
        """One."""
        return {"flavor": self._view(self.flavor(id_))}

    @route("POST", "/v2.1/flavors")
    def create_flavor(self) -> Json:
        """A new one, without extra specs."""
        self.demand("os-flavor-manage:create")
        given = schemas.checked("flavor", self._schema_of_flavor())
        id_ = str(given.get("id") or "auto")
        flavor = {
            "id": str(uuid.uuid4()) if id_ == "auto" else id_,
            "name": given["name"],
            **{field: int(given[field]) for field in ("ram", "disk", "vcpus")},
            "swap": int(given.get("swap") or 0),
            EPHEMERAL: int(given.get(EPHEMERAL) or 0),
            "rxtx_factor": float(given.get("rxtx_factor") or 1.0),
            PUBLIC: schemas.truth(given.get(PUBLIC, True)),
            "description": given.get("description"),
            "extra_specs": {},
            "projects": {},
            #: Of its row: Nova tells it by mistake here and there.
            "number": self.state.number("flavors"),
        }
        if any(other["name"] == flavor["name"] for other in self.state.flavors.values()):
            raise RefusedError(409, f"Flavor with name {flavor['name']} already exists.")
        if flavor["id"] in self.state.flavors:
            raise RefusedError(409, f"Flavor with ID {flavor['id']} already exists.")
        self.state.flavors[flavor["id"]] = flavor
        return {"flavor": self._view(flavor)}

    def _schema_of_flavor(self) -> Schema:
        positive: Schema = {**schemas.POSITIVE, "maximum": schemas.LARGEST}
        properties: dict[str, Schema] = {
            "name": schemas.NAME, "id": ID, "ram": positive, "vcpus": positive, "disk": SIZE, "swap": SIZE,
            EPHEMERAL: SIZE, PUBLIC: schemas.BOOLEAN,
        }  # fmt: skip
        if self.since(55):
            properties["description"] = TEXT
        if not self.since(102):
            properties["rxtx_factor"] = {"type": ["number", "string"], "minimum": 0, "exclusiveMinimum": True}
        return schemas.thing(("name", "ram", "vcpus", "disk"), **properties)

    @route("PUT", "/v2.1/flavors/<id_>")
    def update_flavor(self, id_: str) -> Json:
        """Its description is all that can be changed."""
        self.between(55, 999)
        self.demand("os-flavor-manage:update")
        given = schemas.checked("flavor", schemas.thing(("description",), description=TEXT))
        flavor = self.flavor(id_)
        flavor["description"] = given["description"]
        return {"flavor": self._view(flavor)}

    @route("DELETE", "/v2.1/flavors/<id_>")
    def delete_flavor(self, id_: str) -> tuple[None, int]:
        """Servers keep what they have of it."""
        self.demand("os-flavor-manage:delete")
        del self.state.flavors[self.flavor(id_)["id"]]
        return None, 202

    def _brief(self, flavor: Json) -> Json:
        view = {"id": flavor["id"], "name": flavor["name"], "links": self.links("flavors", flavor["id"])}
        return {**view, "description": flavor["description"]} if self.since(55) else view

    def _view(self, flavor: Json) -> Json:
        old = {} if self.since(102) else {DISABLED: False, "rxtx_factor": flavor["rxtx_factor"]}
        view = {
            **{field: flavor[field] for field in ("id", "name", "ram", "disk")},
            "swap": flavor["swap"] or (0 if self.since(75) else ""),
            EPHEMERAL: flavor[EPHEMERAL],
            "vcpus": flavor["vcpus"],
            PUBLIC: flavor[PUBLIC],
            **old,
            "links": self.links("flavors", flavor["id"]),
        }
        if self.since(55):
            view["description"] = flavor["description"]
        if self.since(61) and self.can("os-flavor-extra-specs:index"):
            view["extra_specs"] = flavor["extra_specs"]
        return view

    # --- extra specs ---

    @route("GET", "/v2.1/flavors/<id_>/os-extra_specs")
    def list_extra_specs(self, id_: str) -> Json:
        """All of a flavor."""
        self.demand("os-flavor-extra-specs:index")
        return {"extra_specs": self.flavor(id_)["extra_specs"]}

    @route("POST", "/v2.1/flavors/<id_>/os-extra_specs")
    def create_extra_specs(self, id_: str) -> Json:
        """Add to a flavor's."""
        self.demand("os-flavor-extra-specs:create")
        given = schemas.checked("extra_specs", SPECS)
        self.flavor(id_)["extra_specs"].update({key: str(value) for key, value in given.items()})
        return {"extra_specs": given}

    @route("GET", "/v2.1/flavors/<id_>/os-extra_specs/<key>")
    def show_extra_spec(self, id_: str, key: str) -> Json:
        """One."""
        self.demand("os-flavor-extra-specs:show")
        return {key: self._spec(self.flavor(id_), key)}

    @route("PUT", "/v2.1/flavors/<id_>/os-extra_specs/<key>")
    def update_extra_spec(self, id_: str, key: str) -> Json:
        """One."""
        self.demand("os-flavor-extra-specs:update")
        given = body()
        schemas.check(given, {**SPECS, "minProperties": 1, "maxProperties": 1})
        if key not in given:
            raise RefusedError(400, "Request body and URI mismatch")
        self.flavor(id_)["extra_specs"][key] = str(given[key])
        return given

    @route("DELETE", "/v2.1/flavors/<id_>/os-extra_specs/<key>")
    def delete_extra_spec(self, id_: str, key: str) -> tuple[None, int]:
        """One."""
        self.demand("os-flavor-extra-specs:delete")
        flavor = self.flavor(id_)
        self._spec(flavor, key)
        del flavor["extra_specs"][key]
        return None, 200

    def _spec(self, flavor: Json, key: str) -> Any:
        if key not in flavor["extra_specs"]:
            raise RefusedError(404, f"Flavor {flavor['id']} has no extra specs with key {key}.")
        return flavor["extra_specs"][key]

    # --- access ---

    @route("GET", "/v2.1/flavors/<id_>/os-flavor-access")
    def list_flavor_access(self, id_: str) -> Json:
        """The projects of a private flavor."""
        self.demand("os-flavor-access")
        flavor = self.flavor(id_)
        if flavor[PUBLIC]:
            raise RefusedError(404, "Access list not available for public flavors.")
        return self._access(flavor)

    @route("POST", "/v2.1/flavors/<id_>/action")
    def change_flavor_access(self, id_: str) -> Json:
        """addTenantAccess and removeTenantAccess."""
        given = body()
        change = next((name for name in ("addTenantAccess", "removeTenantAccess") if name in given), None)
        if change is None:
            raise RefusedError(400, f"There is no such action: {next(iter(given), '')}")
        rule = "add_tenant_access" if change == "addTenantAccess" else "remove_tenant_access"
        self.demand(f"os-flavor-access:{rule}")
        tenant = schemas.checked(change, schemas.thing(("tenant",), tenant=schemas.NAME))["tenant"]
        if change == "addTenantAccess":
            self._add_access(id_, tenant)
        else:
            self._remove_access(id_, tenant)
        return self._access(self.flavor(id_))

    def _add_access(self, id_: str, tenant: str) -> None:
        if self.cloud.identity.project(tenant) is None:
            raise RefusedError(400, f"Project ID {tenant} is not a valid project.")
        flavor = self.flavor(id_)
        if flavor[PUBLIC] and self.since(7):
            raise RefusedError(409, "Can not add access to a public flavor.")
        if tenant in flavor["projects"]:
            message = f"Flavor access already exists for flavor {flavor['number']} and project {tenant} combination."
            raise RefusedError(409, message)
        flavor["projects"][tenant] = None

    def _remove_access(self, id_: str, tenant: str) -> None:
        flavor = self.flavor(id_)
        if tenant not in flavor["projects"]:
            raise RefusedError(404, f"Flavor access not found for {flavor['number']} / {tenant} combination.")
        del flavor["projects"][tenant]

    def _access(self, flavor: Json) -> Json:
        return {"flavor_access": [{"flavor_id": flavor["id"], "tenant_id": tenant} for tenant in flavor["projects"]]}
