"""Keystone's objects as they are on the wire, through python-keystoneclient's session."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import RemedyError, ignore_missing, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires

#: Lists that 2026.1 cuts off at 1000 (``[DEFAULT] max_db_limit``) without a word where no limit is asked for; with one,
#: the next page is in ``links``. Others (``/roles``) take a marker without heeding it: these never end.
PAGED = ("domains", "projects", "users", "groups")
#: How many are asked for at once.
PAGE = 1000


def paged(cloud: Cloud, collection: str, path: str = "", **filters: str | None) -> Wires:
    """All that a list holds, page by page. ``path``: where it is, unless at ``/COLLECTION``.

    Raises CloudError where an older Keystone has cut it off and gives no more (``[DEFAULT] list_limit``).
    """
    found: Wires = []
    query: dict[str, Any] | None = {"limit": PAGE, **{name: v for name, v in filters.items() if v is not None}}
    where: str = path or f"/{collection}"
    while True:
        answer = cloud.adapter("identity").get(where, params=query).json()
        found += answer[collection]
        following = (answer.get("links") or {}).get("next")
        if answer.get("truncated") and not following:
            raise RemedyError(
                f"the Keystone of the {cloud.role} cuts its list of {collection} off at {len(answer[collection])}",
                "raise list_limit in its keystone.conf for the time of the migration",
            )
        if not following or not answer[collection]:
            return found
        # Only the query is used: behind a proxy the link's host may be wrong.
        query = dict(parse_qsl(urlsplit(following).query))


class IdentityType(ResourceType):
    """A type of the Identity API v3, served by one manager of python-keystoneclient."""

    unit = "identity"
    #: The manager: ``client.projects``, ...
    manager: str

    def _manager(self, cloud: Cloud) -> Any:
        return getattr(cloud.identity, self.manager)

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All of them, or those of one domain."""
        if self.manager in PAGED:
            return paged(cloud, self.manager, domain_id=scope.get("domain_id"))
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
