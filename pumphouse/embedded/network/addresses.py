"""Which addresses ports get (IPAM): no allocation looks at all ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from pumphouse.embedded.network.errors import conflict, invalid
from pumphouse.embedded.network.part import Part
from pumphouse.embedded.service import Json, RefusedError

#: Modes of IPv6 in which an address follows from the MAC.
AUTOMATIC = ("slaac", "dhcpv6-stateless")
INTERFACES = ("network:router_interface", "network:router_interface_distributed",
              "network:ha_router_replicated_interface")  # fmt: skip


def automatic(subnet: Json) -> bool:
    """Whether addresses in a subnet follow from MACs."""
    return subnet["ipv6_address_mode"] in AUTOMATIC or subnet["ipv6_ra_mode"] in AUTOMATIC


def from_mac(cidr: str, mac: str) -> str:
    """The address that a MAC has in a range (EUI-64)."""
    digits = bytes.fromhex(mac.replace(":", ""))
    interface = bytes([digits[0] ^ 2, *digits[1:3], 0xFF, 0xFE, *digits[3:]])
    return str(ipaddress.ip_network(cidr).network_address + int.from_bytes(interface, "big"))


def contains(cidr: str, address: str, owner: str = "") -> bool:
    """Whether an address can be of a host in a range."""
    network, ip = ipaddress.ip_network(cidr), ipaddress.ip_address(address)
    if network.version != ip.version or ip not in network:
        return False
    if network.version == 6:
        return ip != network.network_address or owner in INTERFACES
    return network.prefixlen > 30 or ip not in (network.network_address, network.broadcast_address)


class Addresses(Part):
    """The allocations of all subnets."""

    def of(self, subnet_id: str) -> dict[int, str]:
        """Address as a number -> port."""
        return self.service.state.addresses.setdefault(subnet_id, {})

    def choose(self, port: Json, asked: list[Json] | None) -> list[Json]:
        """Addresses for a port that is made, taken at once; ``asked`` is None where nothing was said."""
        subnets = self._candidates(port)
        if asked is None:
            several = [[s for s in subnets if s["ip_version"] == 4],
                       [s for s in subnets if s["ip_version"] == 6 and not automatic(s)]]  # fmt: skip
            wanted: list[Json] = [{"among": among} for among in several if among]
        else:
            wanted = self._asked(port, asked, subnets)
        if port["device_owner"] not in INTERFACES:
            wanted += [{"automatic": subnet} for subnet in subnets if automatic(subnet)]
        return self.take(port, wanted)

    def change(self, port: Json, asked: list[Json]) -> list[Json]:
        """Other addresses for a port; those that it keeps stay, automatic ones too."""
        subnets, old = self._candidates(port), list(port["fixed_ips"])
        kept: list[Json] = []
        fresh: list[Json] = []
        for one in asked:
            same = next((ip for ip in old if ip not in kept and one.items() <= ip.items()), None)
            (kept if same else fresh).append(same or one)
        by_id = {subnet["id"]: subnet for subnet in self.service.subnets.of(port["network_id"])}
        interface = port["device_owner"] in INTERFACES
        kept += [ip for ip in old if ip not in kept and automatic(by_id[ip["subnet_id"]]) and not interface]
        wanted = self._asked(port, fresh, subnets)
        gone = [ip for ip in old if ip not in kept]
        self.release(gone)
        try:
            return kept + self.take(port, wanted)
        except RefusedError:
            for ip in gone:
                self._note(ip["subnet_id"], ip["ip_address"], port["id"])
            raise

    def take(self, port: Json, wanted: Iterable[Json]) -> list[Json]:
        """Allocate; those with an address first. All or none."""
        taken: list[Json] = []
        try:
            for one in sorted(wanted, key=lambda one: "ip_address" not in one):
                taken.append(self._take(port, one))
        except RefusedError:
            self.release(taken)
            raise
        return taken

    def release(self, ips: Iterable[Json]) -> None:
        """They may be given out again."""
        for ip in ips:
            self.of(ip["subnet_id"]).pop(int(ipaddress.ip_address(ip["ip_address"])), None)

    def _take(self, port: Json, one: Json) -> Json:
        if "among" in one:
            subnet, address = self._any(port["network_id"], one["among"])
        elif "automatic" in one:
            subnet = one["automatic"]
            address = from_mac(subnet["cidr"], port["mac_address"])
        else:
            subnet, address = one["subnet"], one["ip_address"]
        if int(ipaddress.ip_address(address)) in self.of(subnet["id"]):
            raise conflict("IpAddressAlreadyAllocated",
                           f"IP address {address} already allocated in subnet {subnet['id']}")  # fmt: skip
        self._note(subnet["id"], address, port["id"])
        return {"subnet_id": subnet["id"], "ip_address": address}

    def _note(self, subnet_id: str, address: str, port_id: str) -> None:
        self.of(subnet_id)[int(ipaddress.ip_address(address))] = port_id

    def _any(self, network_id: str, subnets: list[Json]) -> tuple[Json, str]:
        for subnet in subnets:
            if address := self._free(subnet):
                return subnet, address
        raise conflict("IpAddressGenerationFailure", f"No more IP addresses available on network {network_id}.")

    def _free(self, subnet: Json) -> str | None:
        """Downwards from the end of the pools, so that low addresses, which people ask for, stay free for long."""
        taken, cursors = self.of(subnet["id"]), self.service.state.cursors
        pools = [tuple(int(ipaddress.ip_address(pool[end])) for end in ("start", "end"))
                 for pool in subnet["allocation_pools"]]  # fmt: skip
        make = ipaddress.IPv4Address if subnet["ip_version"] == 4 else ipaddress.IPv6Address
        cursor = cursors.get(subnet["id"])
        below = [(start, min(end, cursor - 1)) for start, end in pools] if cursor is not None else []
        for start, end in [*reversed(below), *reversed(pools)]:
            for number in range(end, start - 1, -1):
                if number not in taken:
                    cursors[subnet["id"]] = number
                    return str(make(number))
        return None

    def _candidates(self, port: Json) -> list[Json]:
        """Subnets of the port's network that are there for ports of its kind; the ones made for it first."""
        subnets = self.service.subnets.of(port["network_id"])
        fit = [s for s in subnets if not s["service_types"] or port["device_owner"] in s["service_types"]]
        if subnets and not fit:
            raise conflict(
                "IpAddressGenerationFailureNoMatchingSubnet",
                f"No valid service subnet for the given device owner, network {port['network_id']}, service type "
                f"{port['device_owner']}.",
            )
        return sorted(fit, key=lambda subnet: not subnet["service_types"])

    def _asked(self, port: Json, asked: list[Json], subnets: list[Json]) -> list[Json]:
        wanted: list[Json] = []
        for one in asked:
            subnet = self._subnet_for(port, one, subnets)
            if "ip_address" in one:
                if automatic(subnet) and port["device_owner"] not in INTERFACES:
                    raise invalid(f"IPv6 address {one['ip_address']} cannot be directly assigned to a port on subnet "
                                  f"{subnet['id']} as the subnet is configured for automatic addresses",
                                  "AllocationOnAutoAddressSubnet")  # fmt: skip
                wanted.append({"subnet": subnet, "ip_address": one["ip_address"]})
            elif not automatic(subnet) or port["device_owner"] in INTERFACES:
                wanted.append({"among": [subnet]})
        return wanted

    def _subnet_for(self, port: Json, one: Json, subnets: list[Json]) -> Json:
        address = one.get("ip_address")
        if "subnet_id" in one:
            subnet = self.service.state.tables["subnets"].get(one["subnet_id"])
            if subnet is None:
                raise self.service.subnets.not_there(one["subnet_id"])
            if subnet["network_id"] != port["network_id"]:
                raise invalid(f"Failed to create port on network {port['network_id']}, because fixed_ips included "
                              f"invalid subnet {one['subnet_id']}")  # fmt: skip
            if address and not contains(subnet["cidr"], address, port["device_owner"]):
                raise RefusedError(400, f"IP address {address} is not a valid IP for the specified subnet.",
                                   "InvalidIpForSubnet")  # fmt: skip
            return subnet
        if not address:
            raise invalid("IP allocation requires subnet_id or ip_address")
        for subnet in subnets:
            if contains(subnet["cidr"], address, port["device_owner"]):
                return subnet
        raise RefusedError(400, f"IP address {address} is not a valid IP for any of the subnets on the specified "
                                "network.", "InvalidIpForNetwork")  # fmt: skip
