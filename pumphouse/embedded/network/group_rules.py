"""What a rule of a security group can say."""

from __future__ import annotations

import ipaddress
from typing import Any

from pumphouse.embedded.network.errors import invalid
from pumphouse.embedded.service import Json, RefusedError

#: Protocols by name.
PROTOCOLS = {
    "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": 1, "igmp": 2, "ip": 0, "ipip": 4,
    "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58, "icmpv6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60,
    "ipv6-route": 43, "ospf": 89, "pgm": 113, "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136,
    "vrrp": 112,
}  # fmt: skip
_NAMES = {str(number): name for name, number in PROTOCOLS.items() if name not in ("icmpv6", "ip")}
_WITH_PORTS = ("dccp", "sctp", "tcp", "udp", "udplite")
_ONLY_6 = ("ipv6-encap", "ipv6-frag", "ipv6-icmp", "icmpv6", "ipv6-nonxt", "ipv6-opts", "ipv6-route")
_EVERYWHERE = ("0.0.0.0/0", "::/0", None)


def protocol(value: Any) -> str | None:
    """A protocol by its name or number; null is any."""
    if value is None:
        return None
    name = str(value).lower()
    if name in PROTOCOLS or (name.isdecimal() and int(name) <= 255):
        return name
    known = [None, *PROTOCOLS]
    raise invalid(f"Security group rule protocol {value} not supported. Only protocol values {known} and integer "
                  "representations [0 to 255] are supported.", "SecurityGroupRuleInvalidProtocol")  # fmt: skip


def ethertype(value: Any) -> str:
    """IPv4 or IPv6."""
    for known in ("IPv4", "IPv6"):
        if str(value).lower() == known.lower():
            return known
    raise invalid(f"Security group rule for ethertype '{value}' not supported. Allowed values are ['IPv4', 'IPv6'].",
                  "SecurityGroupRuleInvalidEtherType")  # fmt: skip


def port(value: Any) -> int | None:
    """A port, or type or code of ICMP."""
    if value is None:
        return None
    if not str(value).isdecimal() or int(value) > 65535:
        raise invalid(f"Invalid value for port {value}", "SecurityGroupInvalidPortValue")
    return int(value)


def prefix(value: Any) -> str | None:
    """A range, or one address."""
    if not value:
        return None
    try:
        return str(ipaddress.ip_interface(str(value)))
    except ValueError:
        raise RefusedError(400, f"Invalid CIDR {value} given as IP prefix.", "InvalidCIDR") from None


def _name(protocol: str | None) -> str:
    """Of a protocol that may be told by its number."""
    return _NAMES.get(protocol or "", protocol or "")


def check(rule: Json) -> None:
    """Refuse what does not fit together; some is put into the form in which it is kept."""
    if rule["ethertype"] == "IPv6":
        rule["protocol"] = {"icmp": "ipv6-icmp", "icmpv6": "ipv6-icmp", "1": "58"}.get(
            rule["protocol"], rule["protocol"]
        )
    if (rule["port_range_min"], rule["port_range_max"]) == (1, 65535):
        rule["port_range_min"] = rule["port_range_max"] = None
    _check_ports(rule)
    if rule["remote_ip_prefix"]:
        version = ipaddress.ip_interface(rule["remote_ip_prefix"]).version
        if rule["ethertype"] != f"IPv{version}":
            raise invalid(f"Conflicting value ethertype {rule['ethertype']} for CIDR {rule['remote_ip_prefix']}",
                          "SecurityGroupRuleParameterConflict")  # fmt: skip
    if rule["ethertype"] == "IPv4" and _name(rule["protocol"]) in _ONLY_6:
        raise invalid(f"Invalid ethertype {rule['ethertype']} for protocol {rule['protocol']}.",
                      "SecurityGroupEthertypeConflictWithProtocol")  # fmt: skip
    if sum(bool(rule[name]) for name in ("remote_ip_prefix", "remote_group_id", "remote_address_group_id")) > 1:
        raise invalid("Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.",
                      "SecurityGroupMultipleRemoteEntites")  # fmt: skip


def _check_ports(rule: Json) -> None:
    low, high = rule["port_range_min"], rule["port_range_max"]
    if low is None and high is None:
        return
    if not rule["protocol"]:
        raise invalid("Must also specify protocol if port range is given.", "SecurityGroupProtocolRequiredWithPorts")
    name = _name(rule["protocol"])
    if name in _WITH_PORTS:
        if 0 in (low, high):
            raise invalid("Invalid value for port 0", "SecurityGroupInvalidPortValue")
        if low is None or high is None or low > high:
            raise invalid("For TCP/UDP protocols, port_range_min must be <= port_range_max",
                          "SecurityGroupInvalidPortRange")  # fmt: skip
    elif name in ("icmp", "ipv6-icmp", "icmpv6"):
        for attr, field, value in (("port_range_min", "type", low), ("port_range_max", "code", high)):
            if value is not None and value > 255:
                raise invalid(f"Invalid value for ICMP {field} ({attr}) {value}. It must be 0 to 255.",
                              "SecurityGroupInvalidIcmpValue")  # fmt: skip
        if low is None:
            raise invalid(f"ICMP code (port-range-max) {high} is provided but ICMP type (port-range-min) is missing.",
                          "SecurityGroupMissingIcmpType")  # fmt: skip
    else:
        known = ", ".join(one.upper() for one in _WITH_PORTS)
        raise invalid(f"Ports cannot be specified for protocol {PROTOCOLS.get(name, name)}. Ports are only supported "
                      f"for {known}.", "SecurityGroupInvalidProtocolForPort")  # fmt: skip


def key(rule: Json) -> tuple[Any, ...]:
    """Equal for rules that let the same pass."""
    remote = None if rule["remote_ip_prefix"] in _EVERYWHERE else rule["remote_ip_prefix"]
    return (
        rule["direction"], rule["ethertype"], rule["port_range_min"], rule["port_range_max"],
        _name(rule["protocol"]), rule["remote_group_id"], rule["remote_address_group_id"], remote,
    )  # fmt: skip
