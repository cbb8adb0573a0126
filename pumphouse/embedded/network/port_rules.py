"""What a port can be, and who may say so."""

from __future__ import annotations

from collections.abc import Iterable

from pumphouse.embedded.network.addresses import INTERFACES
from pumphouse.embedded.network.errors import conflict, forbidden, invalid
from pumphouse.embedded.network.part import Neutron
from pumphouse.embedded.service import Json

#: Owners of ports that are routers', and are removed by them alone.
ROUTERS = (*INTERFACES, "network:router_gateway", "network:floatingip")
#: What only the owner of the network may say of a port in it.
_OWN_NETWORK = ("mac_address", "port_security_enabled", "allowed_address_pairs")


def check_policy(owner: bool, said: Json, action: str) -> None:
    """Refuse (403) in a network that is only shared what its owner keeps for himself."""
    if owner:
        return
    wrong = [name for name in _OWN_NETWORK if name in said]
    if any("ip_address" in ip for ip in said.get("fixed_ips") or ()):
        wrong.append("fixed_ips")
    if str(said.get("device_owner", "")).startswith("network:"):
        wrong.append("device_owner")
    if wrong:
        raise forbidden(f"(rule:{action} and rule:{action}:{wrong[0]})")


def check_open(wanted: Json) -> None:
    """A port on which nothing is filtered has neither groups nor pairs."""
    if wanted.get("allowed_address_pairs"):
        raise conflict("AddressPairAndPortSecurityRequired",
                       "Port Security must be enabled in order to have allowed address pairs on a port.")  # fmt: skip
    if wanted.get("security_groups"):
        raise invalid("Port security must be enabled and port must have an IP address in order to use security groups.",
                      "PortSecurityAndIPRequiredForSecurityGroups")  # fmt: skip


def check_security(spec: Json, before: Json, wanted: Json) -> None:
    """The same for a port that is changed."""
    if spec["port_security_enabled"]:
        return
    if wanted.get("security_groups") or spec["allowed_address_pairs"]:
        check_open({**wanted, "allowed_address_pairs": spec["allowed_address_pairs"]})
    if before["security_groups"] and wanted.get("security_groups") is None:
        raise conflict("PortSecurityPortHasSecurityGroup", "Port has security group associated. Cannot disable port "
                       "security or IP address until security group is removed.")  # fmt: skip


def fill_pairs(port: Json) -> None:
    """A pair without a MAC has the port's."""
    port["allowed_address_pairs"] = [
        {"mac_address": pair.get("mac_address", port["mac_address"]), "ip_address": pair["ip_address"]}
        for pair in port["allowed_address_pairs"]
    ]


def merged_options(old: list[Json], new: list[Json]) -> list[Json]:
    """Options of DHCP are set one by one; one without a value goes."""
    found = {(one["opt_name"], one["ip_version"]): one for one in old}
    for one in new:
        key = (one["opt_name"], one["ip_version"])
        if one["opt_value"] is None:
            found.pop(key, None)
        else:
            found[key] = one
    return list(found.values())


def check_deletable(service: Neutron, port: Json) -> None:
    """Refuse (409) to remove a port that is part of a trunk or a router."""
    if trunk := service.trunks.with_sub_port(port["id"]):
        raise conflict("PortInUseAsSubPort", f"Port {port['id']} is currently a subport for trunk {trunk['id']}.")
    if trunk := service.trunks.of(port["id"]):
        raise conflict("PortInUseAsTrunkParent",
                       f"Port {port['id']} is currently a parent port for trunk {trunk['id']}.")  # fmt: skip
    if port["device_owner"] not in ROUTERS or not port["fixed_ips"]:
        return
    owners = "floatingips" if port["device_owner"] == "network:floatingip" else "routers"
    if port["device_id"] in service.state.tables[owners]:
        raise conflict("ServicePortInUse", f"Port {port['id']} cannot be deleted directly via the port API: has device "
                                           f"owner {port['device_owner']}.")  # fmt: skip


def has_addresses(port: Json, asked: Iterable[str]) -> bool:
    """Whether one of the values of each kind that is asked for is in its addresses."""
    kinds: dict[str, list[str]] = {}
    for one in asked:
        kind, equals, value = one.partition("=")
        if not equals:
            raise invalid(f"'{one}' is not of the form <key>=[value]")
        kinds.setdefault(kind, []).append(value)
    for kind, values in kinds.items():
        if kind == "ip_address_substr":
            found = any(value in ip["ip_address"] for ip in port["fixed_ips"] for value in values)
        else:
            found = any(ip.get(kind) in values for ip in port["fixed_ips"])
        if not found:
            return False
    return True
