"""Security groups (Networking API v2.0, ``/v2.0/security-groups``); their rules are a type of their own."""

from __future__ import annotations

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import Wire
from pumphouse.resources.fields import carry, refer, report, unordered
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType


class SecurityGroup(NetworkType):
    """A group without the rules that Neutron puts into a new one: it gets exactly the source's."""

    type = "security_group"
    unit = "security_groups"
    collection = "security-groups"
    owned = True
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique, but for one 'default' in each project", match=True),
        refer("project_id", "project", "the project that owns it", match=True),
        carry("description", "free text"),
        carry("stateful", "whether answers pass by themselves", extension="stateful-security-group"),
        carry("tags", "simple labels", normal=unordered),
        report("shared", "follows from RBAC policies, each a resource of its own"),
        report("security_group_rules", "each is a resource of its own"),
    )

    def repeatable(self, wanted: Wire) -> bool:
        """The default group is only changed."""
        return bool(wanted["name"] == "default")

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """Make it, or take the project's default group, which is there by itself, and empty it."""
        if wanted["name"] == "default":
            # Listing makes Neutron give a new project its default group.
            group = cloud.network.list(self.collection, project_id=wanted["project_id"], name="default")[0]
            settable: Wire = {name: wanted[name] for name in ("description", "stateful") if name in wanted}
            if any(group.get(name) != value for name, value in settable.items()):
                group = cloud.network.update(self.collection, group["id"], settable)
            if wanted.get("tags"):
                cloud.network.set_tags(self.collection, group["id"], wanted["tags"])
        else:
            group = super().create(cloud, wanted)
        with self.completed(cloud, group["id"]):
            for rule in cloud.network.list("security-group-rules", security_group_id=group["id"]):
                cloud.network.delete("security-group-rules", rule["id"])
        return group
