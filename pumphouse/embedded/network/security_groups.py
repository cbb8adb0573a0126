"""Security groups and their rules."""

from __future__ import annotations

import uuid
from typing import Any

from pumphouse.embedded.network import checks, group_rules
from pumphouse.embedded.network.attributes import READ_ONLY, REQUIRED, Attribute
from pumphouse.embedded.network.errors import conflict, forbidden
from pumphouse.embedded.network.resource import STANDARD, Resource
from pumphouse.embedded.service import Json, RefusedError


def _name(value: Any) -> str:
    name = checks.text()(value)
    if name.lower() == "default":
        raise conflict("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
    return str(name)


class SecurityGroups(Resource):
    """What may pass. Each project has one called ``default``, made when it is first needed."""

    collection, singular, path = "security_groups", "security_group", "security-groups"
    gone = ("SecurityGroupNotFound", "Security group {} does not exist")
    quota = "security_group"
    attributes = {
        "name": Attribute("", _name),
        "stateful": Attribute(True, checks.boolean),
        "shared": READ_ONLY,
        "security_group_rules": READ_ONLY,
    }

    def default(self, project_id: str) -> Json:
        """A project's group, made if it is not there yet."""
        for row in self.table.where("project_id", project_id):
            if row["name"] == "default":
                return row
        wanted = {"name": "default", "stateful": True, "description": "Default security group"}
        row = self._new(project_id, wanted, counted=False)
        for ethertype in ("IPv4", "IPv6"):
            self.service.security_group_rules.make_default(row, "ingress", ethertype, row["id"])
        return row

    def _new(self, project_id: str, wanted: Json, counted: bool = True) -> Json:
        row = {"id": str(uuid.uuid4()), "project_id": project_id, "revision_number": 1, **wanted}
        row = self.keep(row, counted)
        for ethertype in ("IPv4", "IPv6"):
            self.service.security_group_rules.make_default(row, "egress", ethertype, None)
        return row

    def make(self, project_id: str, wanted: Json) -> Json:
        """With the rules that let everything out."""
        self.default(project_id)
        return self._new(project_id, wanted)

    def index(self) -> Json:
        """Whoever looks brings about the default group of the project that he looks at."""
        asked = self.service.asked("project_id") or self.service.asked("tenant_id") or self.token.project_id
        if asked and (self.token.admin or asked == self.token.project_id):
            self.default(asked)
        return super().index()

    def alter(self, row: Json, wanted: Json) -> None:
        """The default group keeps its name; a group in use keeps its memory."""
        if row["name"] == "default" and "name" in wanted:
            raise conflict("SecurityGroupCannotUpdateDefault", "Updating default security group not allowed.")
        if wanted.get("stateful", row["stateful"]) != row["stateful"]:
            self._check_unused(row)
        super().alter(row, wanted)

    def erase(self, row: Json) -> None:
        """With its rules, and those that name it as the other side."""
        self._check_unused(row)
        if row["name"] == "default" and not self.token.admin:
            raise conflict("SecurityGroupCannotRemoveDefault",
                           "Insufficient rights for removing default security group.")  # fmt: skip
        rules = self.service.state.tables["security_group_rules"]
        for rule in [*rules.where("security_group_id", row["id"]), *rules.where("remote_group_id", row["id"])]:
            if rule["id"] in rules:
                rules.remove(rule["id"])
        self.forget(row["id"])

    def _check_unused(self, row: Json) -> None:
        if self.service.state.tables["ports"].count("security_groups", row["id"]):
            raise conflict("SecurityGroupInUse", f"Security Group {row['id']} in use.")

    def view(self, row: Json) -> Json:
        """With its rules."""
        shown = super().view(row)
        shown["shared"] = self.service.shares(row["id"], "access_as_shared")
        rules = self.service.state.tables["security_group_rules"].where("security_group_id", row["id"])
        shown["security_group_rules"] = [self.service.security_group_rules.inside(rule) for rule in rules]
        return shown

    def find(self, project_id: str, name_or_id: str) -> Json | None:
        """One that a project may use, by its id or its name. Refuses (409) a name that several have."""
        row = self.table.get(name_or_id)
        if row and (row["project_id"] == project_id or self.service.rbac.reaches(row["id"], project_id)):
            return row
        if name_or_id == "default":
            return self.default(project_id)
        named = [row for row in self.table.where("name", name_or_id)
                 if row["project_id"] == project_id or self.service.rbac.reaches(row["id"], project_id)]  # fmt: skip
        if len(named) > 1:
            raise RefusedError(409, f"Multiple security_group matches found for name '{name_or_id}', use an ID to be "
                                    "more specific.", "NoUniqueMatch")  # fmt: skip
        return named[0] if named else None


class SecurityGroupRules(Resource):
    """One thing that may pass."""

    collection, singular, path = "security_group_rules", "security_group_rule", "security-group-rules"
    gone = ("SecurityGroupRuleNotFound", "Security group rule {} does not exist")
    quota = "security_group_rule"
    standard = tuple(name for name in STANDARD if name != "tags")
    attributes = {
        "security_group_id": Attribute(REQUIRED, checks.uuid, put=False),
        "direction": Attribute(REQUIRED, checks.one_of(("ingress", "egress")), put=False),
        "ethertype": Attribute("IPv4", group_rules.ethertype, put=False),
        "protocol": Attribute(None, group_rules.protocol, put=False),
        "port_range_min": Attribute(None, group_rules.port, put=False),
        "port_range_max": Attribute(None, group_rules.port, put=False),
        "remote_ip_prefix": Attribute(None, group_rules.prefix, put=False),
        "remote_group_id": Attribute(None, checks.uuid_or_none, put=False),
        "remote_address_group_id": Attribute(None, checks.uuid_or_none, put=False),
        "normalized_cidr": READ_ONLY,
        "belongs_to_default_sg": Attribute(
            post=False, put=False, extension="security-groups-rules-belongs-to-default-sg"
        ),
    }

    def read(self, given: Json) -> tuple[str, Json]:
        """In a group that who asks owns."""
        project, wanted = super().read(given)
        groups = self.service.security_groups
        group = groups.table.get(wanted["security_group_id"])
        if group and not self.mine(group) and self.service.backend == "ovn":
            raise forbidden("rule:create_security_group_rule")
        if group is None or not self.mine(group):
            raise groups.not_there(wanted["security_group_id"])
        return project, wanted

    def make(self, project_id: str, wanted: Json) -> Json:
        """Not what is there already."""
        group_rules.check(wanted)
        if wanted["remote_group_id"]:
            self.service.security_groups.seen(wanted["remote_group_id"])
        if wanted["remote_address_group_id"]:
            self.service.address_groups.seen(wanted["remote_address_group_id"])
        key = group_rules.key(wanted)
        for other in self.table.where("security_group_id", wanted["security_group_id"]):
            if group_rules.key(other) == key:
                raise conflict("SecurityGroupRuleExists",
                               f"Security group rule already exists. Rule id is {other['id']}.")  # fmt: skip
        row = super().make(project_id, {"description": "", **wanted})
        self.service.security_groups.touch(self.service.security_groups.table.rows[row["security_group_id"]])
        return row

    def make_default(self, group: Json, direction: str, ethertype: str, remote: str | None) -> None:
        """A rule of a new group: not counted, and without a description."""
        empty = dict.fromkeys(("protocol", "port_range_min", "port_range_max", "remote_ip_prefix",
                               "remote_address_group_id", "description"))  # fmt: skip
        rule = {"id": str(uuid.uuid4()), "project_id": group["project_id"], "security_group_id": group["id"],
                "direction": direction, "ethertype": ethertype, "remote_group_id": remote}  # fmt: skip
        self.keep({**rule, **empty}, counted=False)

    def erase(self, row: Json) -> None:
        """Remove it."""
        group = self.service.security_groups.table.get(row["security_group_id"])
        self.forget(row["id"])
        if group:
            self.service.security_groups.touch(group)

    def visible(self, row: Json) -> bool:
        """To its owner and its group's."""
        group = self.service.security_groups.table.rows[row["security_group_id"]]
        return self.mine(row) or self.mine(group)

    def view(self, row: Json) -> Json:
        """With what follows from its range and its group."""
        shown = super().view(row)
        shown["normalized_cidr"] = row["remote_ip_prefix"] and checks.cidr(row["remote_ip_prefix"])
        if "security-groups-rules-belongs-to-default-sg" in self.service.extensions:
            group = self.service.security_groups.table.rows[row["security_group_id"]]
            shown["belongs_to_default_sg"] = group["name"] == "default"
        return shown

    def inside(self, row: Json) -> Json:
        """As its group shows it."""
        return {**self.view(row), "standard_attr_id": row["_number"], "tags": []}
