"""QoS policies and their rules."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request

from pumphouse.embedded.network import attributes as attrs
from pumphouse.embedded.network import checks
from pumphouse.embedded.network.attributes import NAME, READ_ONLY, REQUIRED, Attribute
from pumphouse.embedded.network.errors import conflict, missing
from pumphouse.embedded.network.resource import Call, Resource
from pumphouse.embedded.service import Json, Route

_MOST = (1 << 31) - 1
_NUMBER = checks.between(0, _MOST)
_DIRECTION = Attribute("egress", checks.one_of(("ingress", "egress")))
_DSCP = (0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56)
#: Kind of rule -> what it says.
RULES: dict[str, attrs.Attributes] = {
    "bandwidth_limit": {
        "max_kbps": Attribute(REQUIRED, _NUMBER),
        "max_burst_kbps": Attribute(0, _NUMBER),
        "direction": _DIRECTION,
    },
    "dscp_marking": {"dscp_mark": Attribute(REQUIRED, checks.one_of(_DSCP, checks.integer))},
    "minimum_bandwidth": {"min_kbps": Attribute(REQUIRED, _NUMBER), "direction": _DIRECTION},
    "packet_rate_limit": {
        "max_kpps": Attribute(REQUIRED, _NUMBER),
        "max_burst_kpps": Attribute(0, _NUMBER),
        "direction": _DIRECTION,
    },
    "minimum_packet_rate": {
        "min_kpps": Attribute(REQUIRED, _NUMBER),
        "direction": Attribute("egress", checks.one_of(("any", "ingress", "egress"))),
    },
}
#: Kinds of resources that use a policy: as the refusal calls them.
USERS = {"networks": "network", "ports": "port", "floatingips": "floatingip"}


class QosPolicies(Resource):
    """Limits; made by operators."""

    collection, singular, path = "policies", "policy", "qos/policies"
    gone = ("QosPolicyNotFound", "QoS policy {} could not be found.")
    operators = True
    attributes = {
        "name": NAME,
        "shared": Attribute(False, checks.boolean),
        "is_default": Attribute(False, checks.boolean),
        "rules": READ_ONLY,
    }

    def calls(self) -> list[Call]:
        """Rules are made by calls of their kinds."""
        found = super().calls()
        for kind in RULES:
            rules = f"/v2.0/{self.path}/<id_>/<any({kind}_rules):kind>"
            found += [
                (Route("GET", rules, False, False), self.rules),
                (Route("POST", rules, False, False), self.add_rule),
                (Route("GET", f"{rules}/<rule_id>", False, False), self.rule),
                (Route("PUT", f"{rules}/<rule_id>", False, False), self.change_rule),
                (Route("DELETE", f"{rules}/<rule_id>", False, False), self.remove_rule),
            ]
        return found

    # --- policies

    def make(self, project_id: str, wanted: Json) -> Json:
        """``shared`` is a policy of another kind; a project has one default."""
        if wanted["is_default"]:
            self._check_only_default(project_id)
        shared = wanted.pop("shared")
        row = super().make(project_id, {**wanted, "rules": []})
        if shared:
            self.service.rbac.share("qos_policy", row, "access_as_shared")
        return row

    def alter(self, row: Json, wanted: Json) -> None:
        """The same."""
        if wanted.get("is_default") and not row["is_default"]:
            self._check_only_default(row["project_id"])
        shared = wanted.pop("shared", None)
        policy = self.service.rbac.open_to_all(row["id"], "access_as_shared")
        if shared and policy is None:
            self.service.rbac.share("qos_policy", row, "access_as_shared")
        if shared is False and policy is not None:
            self.service.state.tables["rbac_policies"].remove(policy["id"])
        super().alter(row, wanted)

    def erase(self, row: Json) -> None:
        """Not while something is limited by it."""
        for collection, kind in USERS.items():
            if users := self.service.state.tables[collection].where("qos_policy_id", row["id"]):
                raise conflict("QosPolicyInUse", f"QoS Policy {row['id']} is used by {kind} {users[0]['id']}.")
        super().erase(row)

    def view(self, row: Json) -> Json:
        """With its rules, each with its kind."""
        rules = [{**rule, "qos_policy_id": row["id"]} for rule in row["rules"]]
        return {**super().view(row), "rules": rules, "shared": self.service.shares(row["id"], "access_as_shared")}

    def usable(self, id_: str | None) -> None:
        """Refuse a policy that is not there for who asks."""
        if id_:
            self.seen(id_)

    def default(self, project_id: str) -> str | None:
        """The policy of a project's new networks."""
        return next((str(row["id"]) for row in self.table.where("project_id", project_id) if row["is_default"]), None)

    def _check_only_default(self, project_id: str) -> None:
        if self.default(project_id):
            raise conflict("QoSPolicyDefaultAlreadyExists", f"A default QoS policy exists for project {project_id}.")

    # --- rules

    def rules(self, id_: str, kind: str) -> Json:
        """GET of those of a kind."""
        type_ = kind.removesuffix("_rules")
        return {kind: [_shown(rule) for rule in self.seen(id_)["rules"] if rule["type"] == type_]}

    def rule(self, id_: str, kind: str, rule_id: str) -> Json:
        """GET of one."""
        return {kind.removesuffix("s"): _shown(self._rule(self.seen(id_), rule_id))}

    def add_rule(self, id_: str, kind: str) -> Any:
        """POST. One of a kind (and direction) is enough."""
        row, type_ = self.seen(id_), kind.removesuffix("_rules")
        self.may_write("create", {})
        given = attrs.envelope(request.get_json(force=True, silent=True), f"{type_}_rule")
        attrs.known(RULES[type_], given)
        wanted = attrs.complete(RULES[type_], {n: v for n, v in given.items() if n not in attrs.OWNER})
        for other in row["rules"]:
            if other["type"] == type_ and other.get("direction") == wanted.get("direction"):
                raise conflict("QoSRulesConflict", f"Rule {type_} conflicts with rule {other['id']} which already "
                                                   f"exists in QoS Policy {row['id']}.")  # fmt: skip
        rule = {**wanted, "id": str(uuid.uuid4()), "type": type_}
        row["rules"] = [*row["rules"], rule]
        self.touch(row)
        return {f"{type_}_rule": _shown(rule)}, 201

    def change_rule(self, id_: str, kind: str, rule_id: str) -> Json:
        """PUT."""
        row, type_ = self.seen(id_), kind.removesuffix("_rules")
        self.may_change(row, "update", {})
        given = attrs.envelope(request.get_json(force=True, silent=True), f"{type_}_rule")
        attrs.known(RULES[type_], given, owner=False)
        rule = self._rule(row, rule_id)
        rule.update(attrs.changes(RULES[type_], given))
        self.touch(row)
        return {f"{type_}_rule": _shown(rule)}

    def remove_rule(self, id_: str, kind: str, rule_id: str) -> None:
        """DELETE."""
        row = self.seen(id_)
        self.may_change(row, "delete", {})
        rule = self._rule(row, rule_id)
        row["rules"] = [one for one in row["rules"] if one is not rule]
        self.touch(row)

    def _rule(self, row: Json, rule_id: str) -> Json:
        found: list[Json] = [rule for rule in row["rules"] if rule["id"] == rule_id]
        if found:
            return found[0]
        raise missing("QosRuleNotFound", f"QoS rule {rule_id} for policy {row['id']} could not be found.")


def _shown(rule: Json) -> Json:
    """As its own calls tell it: without its kind."""
    return {name: value for name, value in rule.items() if name != "type"}
