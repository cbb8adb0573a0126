"""Who else may use something (RBAC policies)."""

from __future__ import annotations

import uuid

from pumphouse.embedded.network import checks
from pumphouse.embedded.network.attributes import REQUIRED, Attribute
from pumphouse.embedded.network.errors import conflict, forbidden, invalid
from pumphouse.embedded.network.resource import Resource
from pumphouse.embedded.service import Json, RefusedError

EVERYONE = "*"
#: What can be shared: its collection in the state, the extension, what else than being shared.
OBJECTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "network": ("networks", "rbac-policies", ("access_as_external",)),
    "qos_policy": ("policies", "qos", ()),
    "security_group": ("security_groups", "rbac-security-groups", ()),
    "address_scope": ("address_scopes", "rbac-address-scope", ()),
    "subnetpool": ("subnetpools", "rbac-subnetpool", ()),
    "address_group": ("address_groups", "rbac-address-group", ()),
}


class RbacPolicies(Resource):
    """One thing, one project (or all), one action."""

    collection, singular, path = "rbac_policies", "rbac_policy", "rbac-policies"
    gone = ("RbacPolicyNotFound", "RBAC policy of type unknown with ID {} not found")
    quota = "rbac_policy"
    standard = ()
    linked = False
    attributes = {
        "object_type": Attribute(REQUIRED, checks.text(), put=False),
        "object_id": Attribute(REQUIRED, checks.uuid, put=False),
        "target_tenant": Attribute(REQUIRED, checks.text()),
        "action": Attribute(REQUIRED, checks.text(), put=False),
    }

    def of(self, object_id: str) -> list[Json]:
        """Those of a thing."""
        return self.table.where("object_id", object_id)

    def open_to_all(self, object_id: str, action: str) -> Json | None:
        """The one that gives a thing to everybody."""
        return next((one for one in self.of(object_id)
                     if (one["target_tenant"], one["action"]) == (EVERYONE, action)), None)  # fmt: skip

    def reaches(self, object_id: str, project_id: str | None, action: str = "") -> bool:
        """Whether a project has a part in a thing of others."""
        return any(
            one["target_tenant"] in (EVERYONE, project_id) and (not action or one["action"] == action)
            for one in self.of(object_id)
        )

    def share(self, type_: str, row: Json, action: str) -> None:
        """Give a thing to everybody: what its field ``shared`` says."""
        self.keep(
            {"id": str(uuid.uuid4()), "project_id": row["project_id"], "object_type": type_, "object_id": row["id"],
             "action": action, "target_tenant": EVERYONE},
            counted=False,
        )  # fmt: skip

    def make(self, project_id: str, wanted: Json) -> Json:
        """Of a thing that who asks owns."""
        type_, action, target = wanted["object_type"], wanted["action"], wanted["target_tenant"]
        known = {one for one, (_, extension, _) in OBJECTS.items() if extension in self.service.extensions}
        if type_ not in known:
            raise invalid(f"'{type_}' is not a valid RBAC object type")
        if self.service.backend == "ovn" and target != EVERYONE:
            self._check_id(target)
        collection, _, more = OBJECTS[type_]
        valid = ("access_as_shared", *more)
        if action not in valid:
            raise invalid(f"Invalid action '{action}' for object type '{type_}'. Valid actions: {valid}",
                          "InvalidActionForType")  # fmt: skip
        self._check_target(target)
        row = self.service.state.tables[collection].get(wanted["object_id"])
        if row is None:
            raise invalid(self.service.resource(collection).not_there(wanted["object_id"]).message.rstrip("."))
        if not self.mine(row):
            things = "networks" if type_ == "network" else "objects"
            raise invalid(f"Only admins can manipulate policies on {things} they do not own")
        for other in self.of(row["id"]):
            if (other["target_tenant"], other["action"]) == (target, action):
                raise conflict("DuplicateRbacPolicy", "An RBAC policy already exists with those values.")
        return super().make(project_id, wanted)

    def alter(self, row: Json, wanted: Json) -> None:
        """To another project."""
        if "target_tenant" in wanted and wanted["target_tenant"] != row["target_tenant"]:
            self._check_target(wanted["target_tenant"])
            self._check_free(row)
        super().alter(row, wanted)

    def erase(self, row: Json) -> None:
        """Not while who has it uses the thing."""
        self._check_free(row)
        super().erase(row)

    def _check_target(self, target: str) -> None:
        if target == EVERYONE and not self.token.admin:
            rule = "rule:create_rbac_policy"
            for name in self.attributes:
                rule = f"({rule} and rule:create_rbac_policy:{name})"
            raise forbidden(rule)

    def _check_id(self, target: str) -> None:
        try:
            checks.uuid(target)
        except ValueError:
            raise invalid(f"'{target}' is not a valid target project ID; expected a UUID or '*'") from None

    def _check_free(self, policy: Json) -> None:
        try:
            self.check_unused(policy)
        except RefusedError as refused:
            raise conflict(
                "RbacPolicyInUse",
                f"RBAC policy on object {policy['object_id']} cannot be removed because other objects depend on it.\n"
                f"Details: {refused.message}",
            ) from None

    def check_unused(self, policy: Json) -> None:
        """Refuse (409) to take away a network in which others have ports, or where gateways lead."""
        if policy["object_type"] != "network":
            return
        network = self.service.networks.table.rows[policy["object_id"]]
        ports = self.service.state.tables["ports"].where("network_id", network["id"])
        if policy["action"] == "access_as_external":
            if any(port["device_owner"] == "network:router_gateway" for port in ports):
                raise conflict(
                    "ExternalNetworkInUse",
                    f"External network {network['id']} cannot be updated to be made non-external, since it has "
                    "existing gateway ports.",
                )
            return
        others = [one["target_tenant"] for one in self.of(network["id"])
                  if one["id"] != policy["id"] and one["action"] == "access_as_shared"]  # fmt: skip
        if EVERYONE in others:
            return
        allowed = {network["project_id"], *others}
        users = {port["project_id"] for port in ports if not port["device_owner"].startswith("network:")} - allowed
        target = policy["target_tenant"]
        if users if target == EVERYONE else target in users:
            raise conflict("InvalidSharedSetting", f"Unable to reconfigure sharing settings for network "
                           f"{network['id']}. Multiple {self.service.owner}s are using it.")  # fmt: skip

    def visible(self, row: Json) -> bool:
        """To its owner."""
        return self.mine(row)
