"""What a subnet can be."""

from __future__ import annotations

import ipaddress
from typing import Any

from pumphouse.embedded.network.addresses import automatic
from pumphouse.embedded.network.errors import conflict, invalid
from pumphouse.embedded.service import Json, RefusedError


def first(cidr: str, from_pool: bool) -> Any:
    """The gateway if none is named: the first address; in IPv6, unless cut from a pool, that of the range itself."""
    network = ipaddress.ip_network(cidr)
    return network.network_address + (1 if network.version == 4 or from_pool else 0)


def default_pools(cidr: str, gateway: str | None) -> list[Json]:
    """All addresses of hosts around the gateway."""
    network: Any = ipaddress.ip_network(cidr)
    start, end = int(network.network_address), int(network.broadcast_address)
    if start != end and (network.version == 6 or network.prefixlen <= 30):
        start += 1
        end -= network.version == 4
    make = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
    at = int(ipaddress.ip_address(gateway)) if gateway else -1
    ranges = [(start, at - 1), (at + 1, end)] if start <= at <= end else [(start, end)]
    return [{"start": str(make(low)), "end": str(make(high))} for low, high in ranges if low <= high]


def check_pools(pools: list[Json], cidr: str, gateway: str | None) -> None:
    """Within the range, apart from each other and from the gateway."""
    network: Any = ipaddress.ip_network(cidr)
    (whole,) = default_pools(cidr, None)
    low, high = (ipaddress.ip_address(whole[end]) for end in ("start", "end"))
    seen: list[tuple[Any, Any]] = []
    for pool in pools:
        start, end = (ipaddress.ip_address(pool[name]) for name in ("start", "end"))
        shown = f"{start}-{end}"
        if start.version != end.version or start.version != network.version or start > end:  # type: ignore[operator]
            raise RefusedError(400, f"The allocation pool {shown} is not valid.", "InvalidAllocationPool")
        if start < low or end > high:  # type: ignore[operator]
            raise RefusedError(400, f"The allocation pool {shown} spans beyond the subnet cidr {cidr}.",
                               "OutOfBoundsAllocationPool")  # fmt: skip
        for other_start, other_end in seen:
            if start <= other_end and other_start <= end:
                raise conflict("OverlappingAllocationPools",
                               f"Found overlapping allocation pools: {other_start}-{other_end} {shown} for subnet "
                               f"{cidr}.")  # fmt: skip
        seen.append((start, end))
        if gateway and int(start) <= int(ipaddress.ip_address(gateway)) <= int(end):
            raise conflict("GatewayConflictWithAllocationPools",
                           f"Gateway ip {gateway} conflicts with allocation pool {shown}.")  # fmt: skip


def check(wanted: Json, before: Json | None = None) -> None:
    """Refuse what does not fit together."""
    version, network = wanted["ip_version"], ipaddress.ip_network(wanted["cidr"])
    _same_version(version, wanted["cidr"], "cidr")
    if wanted["enable_dhcp"] and not (before and before["enable_dhcp"]):
        _check_dhcp(version, network)
    if gateway := wanted["gateway_ip"]:
        _same_version(version, gateway, "gateway_ip")
        if version == 4 and gateway in (str(network.network_address), str(network.broadcast_address)):
            raise invalid("Gateway is not valid on subnet")
    for server in wanted["dns_nameservers"]:
        _same_version(version, server, "dns_nameserver")
    for route in wanted["host_routes"]:
        _same_version(version, route["nexthop"], "nexthop")
        _same_version(version, route["destination"], "destination")
    _check_limits(wanted)
    _check_modes(wanted, before)


def _check_limits(wanted: Json) -> None:
    which = wanted.get("id", "new subnet")
    for name, most, type_, what in (("dns_nameservers", 5, "DNSNameServersExhausted", "DNS nameservers"),
                                    ("host_routes", 20, "HostRoutesExhausted", "host routes")):  # fmt: skip
        if len(wanted[name]) > most:
            words = f"Unable to complete operation for {which}. The number of {what} exceeds the limit {most}."
            raise RefusedError(400, words, type_)


def _check_dhcp(version: int, network: Any) -> None:
    if network.prefixlen > (30 if version == 4 else 126):
        raise invalid("Subnet has a prefix length that is incompatible with DHCP service enabled")
    for kind, yes in (("Multicast", network.is_multicast), ("Loopback", network.is_loopback)):
        if yes:
            raise invalid(f"{kind} IP subnet is not supported if enable_dhcp is True")


def _check_modes(wanted: Json, before: Json | None) -> None:
    said = [name for name in ("ipv6_ra_mode", "ipv6_address_mode") if wanted[name]]
    if wanted["ip_version"] == 4:
        if said:
            raise invalid(f"{said[0]} is not valid when ip_version is 4")
        return
    if before:
        if said and not wanted["enable_dhcp"]:
            raise invalid("Cannot disable enable_dhcp with ipv6 attributes set")
        return
    if said and not wanted["enable_dhcp"]:
        raise invalid("ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False")
    if len(said) == 2 and wanted["ipv6_ra_mode"] != wanted["ipv6_address_mode"]:
        raise invalid(f"ipv6_ra_mode set to '{wanted['ipv6_ra_mode']}' with ipv6_address_mode set to "
                      f"'{wanted['ipv6_address_mode']}' is not valid. If both attributes are set, they must be the "
                      "same value")  # fmt: skip
    if automatic(wanted) and ipaddress.ip_network(wanted["cidr"]).prefixlen != 64:
        raise invalid(f"Invalid CIDR {wanted['cidr']} for IPv6 address mode. OpenStack uses the EUI-64 address "
                      "format, which requires the prefix to be /64")  # fmt: skip


def _same_version(version: int, value: str, name: str) -> None:
    if ipaddress.ip_network(value, strict=False).version != version:
        raise invalid(f"{name} '{value}' does not match the ip_version '{version}'")
