"""Keystone's objects as they are on the wire, through python-keystoneclient's session."""

from __future__ import annotations

from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires


class IdentityType(ResourceType):
    """A type of the Identity API v3, served by one manager of python-keystoneclient."""

    unit = "identity"
    #: The manager: ``client.projects``, ...
    manager: str

    def _manager(self, cloud: Cloud) -> Any:
        return getattr(cloud.identity, self.manager)

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All of them, or those of one domain."""
        filters = {"domain": scope["domain_id"]} if scope.get("domain_id") else {}
        return [found.to_dict() for found in self._manager(cloud).list(**filters)]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them."""
        return or_none(lambda: dict(self._manager(cloud).get(id_).to_dict()))

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it, also when it was made immutable."""
        with ignore_missing():
            self._unlock(cloud, id_)
            self._manager(cloud).delete(id_)

    def _unlock(self, cloud: Cloud, id_: str) -> None:
        """Take the option "immutable" away, which nothing else may accompany."""
        if (self._manager(cloud).get(id_).to_dict().get("options") or {}).get("immutable"):
            # A domain is a project here: Keystone refuses this one change of its own through /domains.
            manager = cloud.identity.projects if self.manager == "domains" else self._manager(cloud)
            manager.update(id_, options={"immutable": False})
