"""Ports."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from typing import Any

from pumphouse.embedded.network import bindings, checks, port_rules
from pumphouse.embedded.network.attributes import NAME, OPEN, READ_ONLY, REQUIRED, Attribute, complete
from pumphouse.embedded.network.errors import conflict, forbidden
from pumphouse.embedded.network.resource import Resource
from pumphouse.embedded.service import Json, RefusedError

#: What MACs begin with that are not asked for.
BASE_MAC = "fa:16:3e"


class Ports(Resource):
    """Where something is plugged into a network."""

    collection, singular, path = "ports", "port", "ports"
    gone = ("PortNotFound", "Port {} could not be found.")
    quota = "port"
    secret = frozenset({*bindings.SECRET, "resource_request"})
    attributes = {
        "name": NAME,
        "network_id": Attribute(REQUIRED, checks.uuid, put=False),
        "admin_state_up": Attribute(True, checks.boolean),
        "mac_address": Attribute(OPEN, checks.mac),
        "fixed_ips": Attribute(OPEN, checks.fixed_ips),
        "device_id": Attribute("", checks.text()),
        "device_owner": Attribute("", checks.text()),
        "security_groups": Attribute(OPEN, lambda value: checks.uuids(value or [])),
        "port_security_enabled": Attribute(OPEN, checks.boolean),
        "allowed_address_pairs": Attribute([], checks.address_pairs),
        "extra_dhcp_opts": Attribute([], checks.dhcp_options),
        "qos_policy_id": Attribute(None, checks.uuid_or_none),
        "dns_name": Attribute(OPEN, checks.host_name, extension="dns-integration"),
        "dns_domain": Attribute(OPEN, checks.host_name, extension="dns-domain-ports"),
        "device_profile": Attribute(OPEN, checks.text_or_none(), put=False, extension="port-device-profile"),
        "numa_affinity_policy": Attribute(OPEN, extension="port-numa-affinity-policy"),
        **bindings.ATTRIBUTES,
        "status": READ_ONLY,
        "qos_network_policy_id": READ_ONLY,
        "resource_request": READ_ONLY,
        "trunk_details": READ_ONLY,
        "dns_assignment": Attribute(post=False, put=False, extension="dns-integration"),
    }

    # --- make

    def read(self, given: Json) -> tuple[str, Json]:
        """In a network that who asks may use; some of it only in his own."""
        project, wanted = super().read(given)
        network = self.service.networks.seen(wanted["network_id"])
        port_rules.check_policy(self.token.admin or self.mine(network), given, "create_port")
        return project, wanted

    def make(self, project_id: str, wanted: Json) -> Json:
        """With a MAC and addresses, and the groups of its project."""
        network = self.service.networks.table.get(wanted["network_id"])
        if network is None:
            raise self.service.networks.not_there(wanted["network_id"])
        self.service.policies.usable(wanted["qos_policy_id"])
        host = wanted.pop("binding:host_id", None)
        asked = wanted.pop("fixed_ips", None)
        wanted = {**bindings.UNBOUND, **wanted, "id": str(uuid.uuid4()), "project_id": project_id, "status": "DOWN"}
        for name in ("dns_name", "dns_domain", "device_profile", "numa_affinity_policy"):
            wanted.pop(name, None)
        wanted["extra_dhcp_opts"] = [one for one in wanted["extra_dhcp_opts"] if one["opt_value"] is not None]
        if not wanted.get("binding:profile"):
            wanted["binding:profile"] = {}
        self._secure(wanted, network, asked)
        self.service.quotas.check(self.quota, project_id, 1)
        wanted["mac_address"] = self._take_mac(network["id"], wanted.get("mac_address"), wanted["id"])
        port_rules.fill_pairs(wanted)
        try:
            wanted["fixed_ips"] = self.service.addresses.choose(wanted, asked)
        except RefusedError:
            self._release_mac(wanted)
            raise
        row = self.keep({"revision_number": 1, **wanted})
        if host:
            self.plug(row, host, active=False)
        return row

    def make_internal(self, project_id: str, network_id: str, **fields: Any) -> Json:
        """One that a service makes: everything may be said, the rest is as by default."""
        return self.make(project_id, complete(self.known(), {"network_id": network_id, **fields}))

    def _secure(self, wanted: Json, network: Json, asked: list[Json] | None) -> None:
        """Settle ``port_security_enabled`` and the groups."""
        given = wanted.get("security_groups")
        if wanted["device_owner"].startswith("network:"):
            secure = False
        elif "port_security_enabled" in wanted:
            secure = wanted["port_security_enabled"]
        else:
            secure = bool(asked and given) or network["port_security_enabled"]
        if not secure:
            port_rules.check_open(wanted)
        elif given is None:
            given = [self.service.security_groups.default(wanted["project_id"])["id"]]
        wanted["port_security_enabled"] = secure
        wanted["security_groups"] = self._groups(given or [], wanted["project_id"])

    def _groups(self, ids: Iterable[str], project_id: str) -> list[str]:
        groups = self.service.state.tables["security_groups"]
        for id_ in ids:
            group = groups.get(id_)
            mine = group and (group["project_id"] == project_id or self.service.rbac.reaches(id_, project_id))
            if not mine:
                raise self.service.security_groups.not_there(id_)
        return sorted(dict.fromkeys(ids))

    # --- change

    def alter(self, row: Json, wanted: Json) -> None:
        """What it is plugged into and what passes; addresses last, as they can be refused."""
        for name in ("dns_name", "dns_domain", "numa_affinity_policy"):
            wanted.pop(name, None)
        if wanted.get("qos_policy_id"):
            self.service.policies.usable(wanted["qos_policy_id"])
        port_rules.check_security({**row, **wanted}, row, wanted)
        if "security_groups" in wanted:
            wanted["security_groups"] = self._groups(wanted["security_groups"], row["project_id"])
        if "extra_dhcp_opts" in wanted:
            wanted["extra_dhcp_opts"] = port_rules.merged_options(row["extra_dhcp_opts"], wanted["extra_dhcp_opts"])
        if wanted.get("binding:profile", {}) is None:
            wanted["binding:profile"] = {}
        asked, host = wanted.pop("fixed_ips", None), wanted.pop("binding:host_id", None)
        mac = wanted.pop("mac_address", None)
        if asked is not None and asked != row["fixed_ips"]:
            row["fixed_ips"] = self._readdress(row, asked)
        if mac and mac != row["mac_address"]:
            self._change_mac(row, mac)
        self.table.change(row, **wanted)
        if "allowed_address_pairs" in wanted:
            port_rules.fill_pairs(row)
        if host is not None:
            self.plug(row, host, active=row["status"] == "ACTIVE") if host else self.unplug(row)

    def _readdress(self, row: Json, asked: list[Json]) -> list[Json]:
        if row["device_owner"] in port_rules.ROUTERS and row["device_id"] in self.service.state.tables["routers"]:
            raise RefusedError(400, f"IP updates for port {row['id']} are not allowed", "IPAddressChangeNotAllowed")
        new = self.service.addresses.change(row, asked)
        left = {ip["ip_address"] for ip in row["fixed_ips"]} - {ip["ip_address"] for ip in new}
        self.service.floating_ips.detach(row["id"], left)
        return new

    def _change_mac(self, row: Json, mac: str) -> None:
        if row["device_owner"].startswith("network:"):
            raise conflict(
                "UnsupportedPortDeviceOwner",
                "Operation mac address update is not supported for device_owner "
                f"{row['device_owner']} on port {row['id']}.",
            )
        if row["binding:vif_type"] not in ("unbound", "binding_failed"):
            raise conflict(
                "PortBound",
                f"Unable to complete operation on port {row['id']}, port is already bound, port type: "
                f"{row['binding:vif_type']}, old_mac {row['mac_address']}, new_mac {mac}.",
            )
        self._take_mac(row["network_id"], mac, row["id"])
        self._release_mac(row)
        for pair in row["allowed_address_pairs"]:
            if pair["mac_address"] == row["mac_address"]:
                pair["mac_address"] = mac
        row["mac_address"] = mac

    def plug(self, row: Json, host: str, active: bool = True) -> None:
        """Bind it to a host."""
        self.table.change(row, **bindings.bound(self.service.backend, host), status="ACTIVE" if active else "DOWN")
        self.service.trunks.follow(row)

    def unplug(self, row: Json) -> None:
        """It is on no host any more."""
        profile = row["binding:profile"]
        self.table.change(row, **{**bindings.UNBOUND, "binding:profile": profile}, status="DOWN")
        self.service.trunks.follow(row)

    # --- remove

    def erase(self, row: Json) -> None:
        """Ports of routers and of trunks are removed by those."""
        port_rules.check_deletable(self.service, row)
        self.service.floating_ips.detach(row["id"])
        self.drop(row)

    def drop(self, row: Json) -> None:
        """Without looking what it is for."""
        self.service.addresses.release(row["fixed_ips"])
        self._release_mac(row)
        self.forget(row["id"])

    # --- see

    def visible(self, row: Json) -> bool:
        """To its owner and its network's."""
        return self.mine(row) or self.mine(self.service.networks.table.rows[row["network_id"]])

    def may_change(self, row: Json, action: str, said: Json) -> None:
        """Its network's owner may remove it, but not change it."""
        if action == "update" and not self.mine(row):
            raise forbidden("rule:update_port")
        self.may_write(action, said)
        network = self.service.networks.table.rows[row["network_id"]]
        port_rules.check_policy(self.token.admin or self.mine(network), said, f"{action}_port")
        if "mac_address" in said and not self.token.admin:
            raise forbidden("(rule:update_port and rule:update_port:mac_address)")

    def view(self, row: Json) -> Json:
        """With what follows from its network and its trunk."""
        shown = super().view(row)
        network = self.service.networks.table.rows[row["network_id"]]
        shown["qos_network_policy_id"] = network["qos_policy_id"]
        shown["resource_request"] = None
        if details := self.service.trunks.details(row["id"]):
            shown["trunk_details"] = details
        return shown

    def listed(self, row: Json) -> Json:
        """Older releases do not look up the MACs of sub-ports for lists."""
        shown = self.view(row)
        if self.service.backend == "linuxbridge" and "trunk_details" in shown:
            for one in shown["trunk_details"]["sub_ports"]:
                del one["mac_address"]
        return shown

    def candidates(self, asked: dict[str, list[str]]) -> Iterable[Json]:
        """By address without looking at all."""
        subnets = [one.partition("=")[2] for one in asked.get("fixed_ips", ()) if one.startswith("subnet_id=")]
        if subnets and "id" not in asked:
            ids = dict.fromkeys(id_ for subnet in subnets for id_ in self.service.addresses.of(subnet).values())
            return [self.table.rows[id_] for id_ in ids]
        return super().candidates(asked)

    def matches(self, row: Json, asked: dict[str, list[str]]) -> bool:
        """``fixed_ips`` is asked for as ``subnet_id=ID`` and ``ip_address=ADDRESS``."""
        plain = {name: values for name, values in asked.items() if name != "fixed_ips"}
        return super().matches(row, plain) and port_rules.has_addresses(row, asked.get("fixed_ips", ()))

    # --- MACs

    def _take_mac(self, network_id: str, asked: str | None, port_id: str) -> str:
        taken = self.service.state.macs.setdefault(network_id, {})
        if asked in taken:
            raise conflict("MacAddressInUse",
                           f"Unable to complete operation for network {network_id}. The mac address {asked} is in "
                           "use.")  # fmt: skip
        mac = asked or ""
        while not mac or mac in taken:
            number = random.randrange(1 << 24)  # noqa: S311 (no secret)
            mac = ":".join([BASE_MAC, *(f"{number >> shift & 255:02x}" for shift in (16, 8, 0))])
        taken[mac] = port_id
        return mac

    def _release_mac(self, row: Json) -> None:
        self.service.state.macs.get(row["network_id"], {}).pop(row["mac_address"], None)
