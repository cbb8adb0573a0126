"""Values of attributes: what is taken, and how it is understood.

A check gives the value as it is kept. It raises ValueError with the reason (in Neutron's words) for what cannot be,
or RefusedError where Neutron has a refusal of its own.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Set
from typing import Any

from pumphouse.embedded.network.errors import invalid

Check = Callable[[Any], Any]

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_MAC = re.compile(r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}")
_HOST = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.?")


def anything(value: Any) -> Any:
    """No check."""
    return value


def text(longest: int = 255, least: int = 0) -> Check:
    """A string."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"'{value}' is not a valid string")
        if len(value) > longest:
            raise ValueError(f"'{value}' exceeds maximum length of {longest}")
        if len(value.strip()) < least:
            raise ValueError(f"'{value}' Blank strings are not permitted")
        return value

    return check


def text_or_none(longest: int = 255) -> Check:
    """A string, or null."""
    checked = text(longest)
    return lambda value: None if value is None else checked(value)


def boolean(value: Any) -> bool:
    """True and false, in all the ways in which Neutron reads them."""
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    try:
        return known[str(value).lower()]
    except KeyError:
        raise invalid(f"'{value}' cannot be converted to boolean") from None


def boolean_or_none(value: Any) -> bool | None:
    """Either, or null."""
    return None if value is None else boolean(value)


def integer(value: Any) -> int:
    """A number, which may come as a string."""
    try:
        return int(value)
    except (ValueError, TypeError):
        raise invalid(f"'{value}' is not an integer") from None


def natural(value: Any) -> int:
    """A number that is not negative."""
    number = integer(value)
    if number < 0:
        raise ValueError(f"'{number}' should be non-negative")
    return number


def between(least: int, most: int) -> Check:
    """A number in a range."""

    def check(value: Any) -> int:
        number = integer(value)
        if number < least:
            raise ValueError(f"'{number}' is too small - must be at least '{least}'")
        if number > most:
            raise ValueError(f"'{number}' is too large - must be no larger than '{most}'")
        return number

    return check


def one_of(values: Iterable[Any], convert: Check = anything) -> Check:
    """One of a few values."""
    allowed = list(values)

    def check(value: Any) -> Any:
        value = convert(value)
        if value not in allowed:
            raise ValueError(f"{value} is not in valid_values")
        return value

    return check


def uuid(value: Any) -> str:
    """An id."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError(f"'{value}' is not a valid UUID")
    return value


def uuid_or_none(value: Any) -> str | None:
    """An id, or null."""
    return None if value is None else uuid(value)


def uuids(value: Any) -> list[str]:
    """Ids, none of them twice."""
    if not isinstance(value, list):
        raise ValueError(f"'{value}' is not a list")
    if len(set(value)) != len(value):
        raise ValueError(f"Duplicate items in the list: '{', '.join(value)}'")
    return [uuid(one) for one in value]


def address(value: Any) -> str:
    """An IP address, in its usual form."""
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        raise ValueError(f"'{value}' is not a valid IP address") from None


def address_or_none(value: Any) -> str | None:
    """An IP address, or null."""
    return None if value is None else address(value)


def cidr(value: Any) -> str:
    """A range of addresses; bits of the host are dropped."""
    given = str(value)
    try:
        network = ipaddress.ip_network(given, strict=False)
    except ValueError:
        raise ValueError(f"'{value}' is not a valid IP subnet") from None
    if "/" not in given or (network.version == 4 and given.partition("/")[2] != str(network.prefixlen)):
        raise ValueError(f"'{value}' isn't a recognized IP subnet cidr, '{network}' is recommended")
    return str(network)


def cidr_or_none(value: Any) -> str | None:
    """A range, or null: refused in the words of subnets."""
    try:
        return None if value is None else cidr(value)
    except ValueError:
        raise invalid(f"{value} is not in a CIDR format") from None


def cidrs(value: Any) -> list[str]:
    """Ranges, none of them twice."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"'{value}' is not a list")
    if len(set(value)) != len(value):
        raise ValueError(f"Duplicate items in the list: '{', '.join(value)}'")
    return [cidr(one) for one in value]


def mac(value: Any) -> str:
    """A MAC, in lower case with colons."""
    if not isinstance(value, str) or not _MAC.fullmatch(value) or value == "00:00:00:00:00:00":
        raise ValueError(f"'{value}' is not a valid MAC address")
    return value.lower().replace("-", ":")


def host_name(value: Any) -> str:
    """A DNS name that may be empty."""
    name = text()(value).lower()
    if name and not _HOST.fullmatch(name):
        raise ValueError(f"'{value}' not a valid PQDN or FQDN. Reason: Name '{value}' must be 1-63 characters long, "
                         "each of which can only be alphanumeric or a hyphen")  # fmt: skip
    return name


def nameservers(value: Any) -> list[str]:
    """Addresses in order, none of them twice."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"Invalid data format for nameserver: '{value}'")
    found: list[str] = []
    for one in value:
        try:
            found.append(address(one))
        except ValueError:
            raise ValueError(f"'{one}' is not a valid nameserver. '{one}' is not a valid IP address") from None
        if found.count(found[-1]) > 1:
            raise ValueError(f"Duplicate nameserver '{one}'")
    return found


def host_routes(value: Any) -> list[dict[str, str]]:
    """Destinations with next hops."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"Invalid data format for hostroute: '{value}'")
    found: list[dict[str, str]] = []
    for one in value:
        keys(one, {"destination", "nexthop"})
        try:
            route = {"destination": cidr(one["destination"]), "nexthop": address(one["nexthop"])}
        except ValueError as error:
            wrong = f"'{one['destination']}' is not a valid CIDR"
            raise ValueError(wrong if "IP subnet" in str(error) else str(error)) from None
        if route in found:
            raise ValueError(f"Duplicate hostroute '{one}'")
        found.append(route)
    return found


def keys(value: Any, expected: Set[str], more: Set[str] = frozenset()) -> None:
    """Refuse an object that lacks some of its keys, or has others."""
    if not isinstance(value, dict):
        raise ValueError(f"'{value}' is not a dictionary")
    if not expected <= set(value) <= expected | more:
        raise ValueError(
            f"Validation of dictionary's keys failed. Expected keys: {expected} Provided keys: {set(value)}"
        )


def pools(value: Any) -> list[dict[str, str]]:
    """First and last addresses that may be given out."""
    if not isinstance(value, list):
        raise ValueError(f"Invalid data format for IP pool: '{value}'")
    found = []
    for one in value:
        keys(one, {"start", "end"})
        found.append({"start": address(one["start"]), "end": address(one["end"])})
    return found


def fixed_ips(value: Any) -> list[dict[str, str]]:
    """Addresses that are asked for, by subnet, by address or by both."""
    if not isinstance(value, list):
        raise ValueError(f"Invalid data format for fixed IP: '{value}'")
    found: list[dict[str, str]] = []
    for one in value:
        if not isinstance(one, dict):
            raise ValueError(f"Invalid data format for fixed IP: '{one}'")
        wanted = {}
        if one.get("ip_address") is not None:
            wanted["ip_address"] = address(one["ip_address"])
            if any(wanted["ip_address"] == other.get("ip_address") for other in found):
                raise ValueError(f"Duplicate IP address '{one['ip_address']}'")
        if one.get("subnet_id") is not None:
            wanted["subnet_id"] = uuid(one["subnet_id"])
        found.append(wanted)
    return found


def address_pairs(value: Any) -> list[dict[str, str]]:
    """Addresses that a port may use besides its own; without a MAC it is the port's."""
    found: list[dict[str, str]] = []
    for one in value or ():
        if not isinstance(one, dict) or "ip_address" not in one:
            raise invalid("AllowedAddressPair must contain ip_address", "AllowedAddressPairsMissingIP")
        given = str(one["ip_address"])
        pair = {"ip_address": cidr(given) if "/" in given else address(given)}
        if one.get("mac_address"):
            pair["mac_address"] = mac(one["mac_address"])
        if pair in found:
            raise invalid(
                f"Request contains duplicate address pair: mac_address {pair.get('mac_address')} ip_address "
                f"{pair['ip_address']}.",
                "DuplicateAddressPairInRequest",
            )
        found.append(pair)
    return found


def dhcp_options(value: Any) -> list[dict[str, Any]]:
    """Options that are told to the port's guest; one without a value is taken away."""
    found = []
    for one in value or ():
        if not isinstance(one, dict) or not {"opt_name", "opt_value"} <= set(one):
            raise ValueError(f"Invalid data format for extra_dhcp_opts: '{one}'")
        version = one_of((4, 6), integer)(one.get("ip_version", 4))
        found.append({"opt_name": one["opt_name"], "opt_value": one["opt_value"], "ip_version": version})
    return found


def a_dict(value: Any) -> dict[str, Any]:
    """An object; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"'{value}' is not a dictionary")
    return value
