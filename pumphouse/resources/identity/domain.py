"""Domains: the name spaces of projects and users (Identity API v3, ``/v3/domains``)."""

from __future__ import annotations

from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing
from pumphouse.resources.base import Wire
from pumphouse.resources.fields import carry, report
from pumphouse.resources.identity.wire import IdentityType


class Domain(IdentityType):
    """A domain; an existing one of the same name is used as it is."""

    type = "domain"
    manager = "domains"
    mapping = "domains"
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "unique in the cloud", match=True),
        carry("description", "free text"),
        carry("enabled", "a disabled domain lets nobody log in"),
        carry("tags", "simple labels"),
        carry("options", "resource options such as immutable"),
        report("links", "addresses in the source's API"),
    )

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /v3/domains; tags are set by a call of their own (the request's schema has none in old releases)."""
        body: dict[str, Any] = self.body(wanted)
        tags = body.pop("tags", None)
        options = body.pop("options", None) or {}
        # Nothing can be added to an immutable one.
        later = {name: value for name, value in options.items() if tags and name == "immutable"}
        body["options"] = {name: value for name, value in options.items() if name not in later}
        made = cloud.identity.domains.create(**body).to_dict()
        if tags:
            with self.completed(cloud, made["id"]):
                cloud.identity.projects.update_tags(made["id"], tags)
                if later:
                    # A domain is a project here: Keystone would not let it be taken back through /domains.
                    cloud.identity.projects.update(made["id"], options=later)
                made = cloud.identity.domains.get(made["id"]).to_dict()
        return dict(made)

    def occupied(self, cloud: Cloud, id_: str) -> str | None:
        """Keystone removes the people and projects of a domain with it."""
        for kind in ("projects", "users", "groups"):
            if found := getattr(cloud.identity, kind).list(domain=id_):
                return f"has {kind} that Pumphouse did not make: {', '.join(sorted(one.name for one in found)[:5])}"
        return None

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Only a disabled domain can be deleted."""
        with ignore_missing():
            self._unlock(cloud, id_)
            cloud.identity.domains.update(id_, enabled=False)
        super().delete(cloud, id_)
