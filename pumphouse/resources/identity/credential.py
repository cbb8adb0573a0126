"""Credentials of users: EC2 access keys, TOTP secrets and others (Identity API v3, ``/v3/credentials``)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.names import Names
from pumphouse.resources.base import Named, ResourceType, Wire, Wires, unnamed
from pumphouse.resources.fields import Field, Lookup, carry, refer, report
from pumphouse.resources.inventory import Inventory

#: What a credential may hang on that cannot move; Keystone notes it in the blob.
BOUND_TO = {
    "trust_id": "a trust",
    "app_cred_id": "an application credential",
    "access_token_id": "an OAuth access token",
}


def _parsed(blob: Any) -> Any:
    """JSON as what it says, whatever its spaces; anything else as it is."""
    try:
        return json.loads(blob)
    except (TypeError, ValueError):
        return blob


class Credential(ResourceType):
    """A secret of a user, kept by Keystone. The blob is the secret: it is compared, and never shown or stored.

    The access key of an EC2 credential is in its blob, so it stays the same, and so does the id, which Keystone
    makes from it. Ids of the user and of the project are replaced inside the blob too. Those for projects that
    neither move nor are in the destination stay, and so do those that were made through a trust, an
    application credential or OAuth, which cannot move.
    """

    type = "credential"
    unit = "credentials"
    home = "user_id"
    # One that the source cannot decrypt makes its Keystone refuse to list any.
    dispensable = True
    parent = "user"
    #: A project that it is for, which is no reason to move it.
    guest = "project_id"
    fields = (
        report("id", "chosen by the destination; of EC2 credentials the same, as it comes from the access key"),
        refer("user_id", "user", "whose it is", match=True),
        refer("project_id", "project", "what it is for; null for those that are for no project", match=True),
        carry("type", "ec2, totp, cert, ...", match=True),
        carry("blob", "the secret itself", match=True, secret=True, normal=_parsed),
        report("links", "addresses in the source's API"),
    )

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """Its kind and whose it is."""
        project = f" for {named('project', resource['project_id'])}" if resource.get("project_id") else ""
        return f"{resource['type']} of {named('user', resource['user_id'])}{project}"

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All of the cloud: Keystone lists those of one user, or all at once."""
        # Not by keystoneclient, which logs what it is told.
        answer = cloud.adapter("identity").get("/credentials", log=False)
        return [dict(found) for found in answer.json()["credentials"]]

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Those of these users."""
        users = {user["id"] for user in parents}
        return [found for found in self.list(cloud) if found["user_id"] in users]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them."""
        return or_none(
            lambda: dict(cloud.adapter("identity").get(f"/credentials/{id_}", log=False).json()["credential"])
        )

    def leave(self, resource: Wire, made: Callable[[str, str], bool]) -> str | None:
        """What is bound to something that cannot move is useless without it."""
        blob = _parsed(resource["blob"])
        bound = [what for key, what in BOUND_TO.items() if isinstance(blob, dict) and blob.get(key)]
        return f"made through {bound[0]}, which cannot move: its user has to make a new one" if bound else None

    def translate(self, resource: Wire, lookup: Lookup) -> Wire:
        """Ids inside the blob are replaced too."""
        return {**super().translate(resource, lookup), "blob": _translated(resource, lookup)}

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same secret of the same user; else what has the id that this one would get."""
        if same := super().find(inventory, wanted, source):
            return same
        id_ = _ec2_id(wanted)
        return next((found for found in inventory.list(self.type) if found["id"] == id_), None)

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """An access key can be there only once."""
        return [f.name for f in self.matching if not f.same(wanted.get(f.name), found.get(f.name))]

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /v3/credentials."""
        body = {name: value for name, value in self.body(wanted).items() if value is not None}
        answer = cloud.adapter("identity").post("/credentials", json={"credential": body}, log=False)
        return dict(answer.json()["credential"])

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it."""
        with ignore_missing():
            cloud.adapter("identity").delete(f"/credentials/{id_}")

    def _expected(self, field: Field, source: Wire, lookup: Lookup, names: Names) -> Any:
        if field.name == "blob":
            return _translated(source, lookup)
        return super()._expected(field, source, lookup, names)


def _translated(resource: Wire, lookup: Lookup) -> Any:
    """The blob with the ids of the credential's own user and project replaced; any other text stays as it is."""
    blob = _parsed(resource["blob"])
    if not isinstance(blob, dict):
        return resource["blob"]
    own = {id_: lookup(type_, id_) for type_ in ("user", "project") if (id_ := resource.get(f"{type_}_id"))}
    changed = {key: own.get(value) or value if isinstance(value, str) else value for key, value in blob.items()}
    return resource["blob"] if changed == blob else json.dumps(changed)


def _ec2_id(wanted: Wire) -> str | None:
    """The id that Keystone gives an EC2 credential: SHA-256 of its access key."""
    blob = _parsed(wanted["blob"])
    if wanted["type"] != "ec2" or not isinstance(blob, dict) or not isinstance(blob.get("access"), str):
        return None
    return hashlib.sha256(blob["access"].encode()).hexdigest()
