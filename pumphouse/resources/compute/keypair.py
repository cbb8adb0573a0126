"""Key pairs of users (Compute API, ``/os-keypairs``; of other users from microversion 2.10)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import carry, refer, report
from pumphouse.resources.inventory import Inventory


class Keypair(ResourceType):
    """A user's public key under a name. "user/name" stands for it."""

    type = "keypair"
    unit = "keypairs"
    parent = "user"
    fields = (
        carry("name", "unique for its user", match=True),
        refer("user_id", "user", "whose it is", match=True),
        carry("public_key", "the key as it is put into servers"),
        carry("type", "ssh or x509", omit_null=True),
        carry("fingerprint", "follows from the key", post=False),
        report("id", "a row number in the source"),
        report("created_at", "a time in the source"),
        report("updated_at", "a time in the source"),
        report("deleted", "false for all that can be seen"),
        report("deleted_at", "null for all that can be seen"),
    )

    def id(self, resource: Wire) -> str:
        """user/name."""
        return f"{resource['user_id']}/{resource['name']}"

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Those of each user; Nova has no list over several users."""
        return [
            {**keypair.to_dict().get("keypair", keypair.to_dict()), "user_id": user["id"]}
            for user in parents
            for keypair in cloud.compute.keypairs.list(user_id=user["id"])
        ]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One key pair."""
        user, _, name = id_.partition("/")
        found: Any = or_none(lambda: cloud.compute.keypairs.get(name, user_id=user).to_dict())
        return {**found.get("keypair", found), "user_id": user} if found else None

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The user's key pair of that name."""
        return inventory.get(self.type, self.id(wanted))

    def orphans(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wires:
        """The user's key pair of that name."""
        found = self.find(inventory, wanted, source)
        return [found] if found else []

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """Another key under the same name."""
        return [] if found.get("fingerprint") == wanted.get("fingerprint") else ["public_key"]

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /os-keypairs as administrator, for the user."""
        arguments = {"key_type": wanted["type"]} if wanted.get("type") else {}
        made: Any = cloud.compute.keypairs.create(
            wanted["name"], wanted["public_key"], user_id=wanted["user_id"], **arguments
        ).to_dict()
        return {**made.get("keypair", made), "user_id": wanted["user_id"]}

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it."""
        user, _, name = id_.partition("/")
        with ignore_missing():
            cloud.compute.keypairs.delete(name, user_id=user)
