"""Address groups, to which rules of security groups refer."""

from __future__ import annotations

from typing import Any

from flask import request

from pumphouse.embedded.network import checks
from pumphouse.embedded.network.attributes import NAME, READ_ONLY, Attribute
from pumphouse.embedded.network.errors import conflict, malformed, missing
from pumphouse.embedded.network.resource import Call, Resource
from pumphouse.embedded.service import Json, RefusedError, Route


class AddressGroups(Resource):
    """Named ranges of addresses. Zed tells neither when they were changed nor how often."""

    collection, singular, path = "address_groups", "address_group", "address-groups"
    gone = ("AddressGroupNotFound", "Address group {} could not be found.")
    standard = ("description", "created_at", "updated_at", "revision_number")
    attributes = {"name": NAME, "addresses": Attribute([], checks.cidrs, put=False), "shared": READ_ONLY}

    def calls(self) -> list[Call]:
        """Addresses can be added and taken away, too."""
        one = f"/v2.0/{self.path}/<id_>"
        return [
            *super().calls(),
            (Route("PUT", f"{one}/add_addresses", False, False), self.add_addresses),
            (Route("PUT", f"{one}/remove_addresses", False, False), self.remove_addresses),
        ]

    def make(self, project_id: str, wanted: Json) -> Json:
        """Addresses count as its first change."""
        row = super().make(project_id, wanted)
        if row["addresses"]:
            self.touch(row)
        return row

    def erase(self, row: Json) -> None:
        """Not while a rule refers to it."""
        if self.service.state.tables["security_group_rules"].count("remote_address_group_id", row["id"]):
            raise conflict("AddressGroupInUse",
                           f"Address group {row['id']} is in use on one or more security group rules.")  # fmt: skip
        super().erase(row)

    def view(self, row: Json) -> Json:
        """As the release tells it."""
        shown = super().view(row)
        if self.service.backend == "linuxbridge":
            for name in ("created_at", "updated_at", "revision_number"):
                del shown[name]
        return shown

    def add_addresses(self, id_: str) -> Json:
        """More addresses."""
        row, given = self._given(id_)
        if there := [one for one in given if one in row["addresses"]]:
            raise RefusedError(400, f"Addresses {', '.join(there)} already exist in the address group {row['id']}.",
                               "AddressesAlreadyExist")  # fmt: skip
        return self._set(row, [*row["addresses"], *given])

    def remove_addresses(self, id_: str) -> Json:
        """Fewer."""
        row, given = self._given(id_)
        if unknown := [one for one in given if one not in row["addresses"]]:
            raise missing("AddressesNotFound",
                          f"Addresses {', '.join(unknown)} not found in the address group {row['id']}.")  # fmt: skip
        return self._set(row, [one for one in row["addresses"] if one not in given])

    def _given(self, id_: str) -> tuple[Json, list[str]]:
        row = self.seen(id_)
        self.may_change(row, "update", {})
        given: Any = request.get_json(force=True, silent=True)
        try:
            return row, checks.cidrs((given or {}).get("addresses"))
        except ValueError as error:
            raise malformed(f"Invalid input for addresses. Reason: {error}.") from None

    def _set(self, row: Json, addresses: list[str]) -> Json:
        row["addresses"] = addresses
        self.touch(row)
        return {self.singular: self.view(row)}
