"""What a network is underneath: its kind, its number there, and how big its packets may be."""

from __future__ import annotations

from typing import Any

from pumphouse.embedded.network.errors import conflict, invalid
from pumphouse.embedded.network.state import NetworkState
from pumphouse.embedded.service import Json, RefusedError

#: The backend's tunnels between hosts, which tenants' networks are, and the largest packet that fits into each.
TUNNELS = {"linuxbridge": ("vxlan", 1450), "ovn": ("geneve", 1442)}
#: The largest packet of the physical network.
PHYSICAL_MTU = 1500
#: Physical networks on which VLANs can be, with those that are given out.
VLANS = {"physnet1": range(100, 200)}
TUNNEL_IDS = range(1, 1 << 16)

TYPE, PHYSICAL, NUMBER = "provider:network_type", "provider:physical_network", "provider:segmentation_id"


def largest(backend: str, kind: str) -> int:
    """The MTU of a kind of network."""
    tunnel, mtu = TUNNELS[backend]
    return mtu if kind == tunnel else PHYSICAL_MTU


def allocate(state: NetworkState, backend: str, network_id: str, wanted: Json) -> Json:
    """Find (or take the asked) place of a network; the three fields that tell it."""
    kind, physical, number = (wanted.get(name) for name in (TYPE, PHYSICAL, NUMBER))
    if kind is None and (physical is not None or number is not None):
        raise invalid("network_type required")
    tunnel, _ = TUNNELS[backend]
    kind = kind or tunnel
    if kind not in ("local", "flat", "vlan", tunnel):
        raise invalid(f"network_type value '{kind}' not supported")
    _check(kind, physical, number)
    if kind == "vlan":
        physical = physical or next(iter(VLANS))
    if kind in ("vlan", tunnel):
        number = _number(state, kind, physical, number)
    place = f"{kind} {physical or ''}"
    taken = state.segments.setdefault(place, {})
    if kind != "local":
        if (number or 0) in taken:
            raise _in_use(kind, physical, number)
        taken[number or 0] = network_id
    return {TYPE: kind, PHYSICAL: physical, NUMBER: number}


def release(state: NetworkState, row: Json) -> None:
    """A network is gone."""
    state.segments.get(f"{row[TYPE]} {row[PHYSICAL] or ''}", {}).pop(row[NUMBER] or 0, None)


def _check(kind: str, physical: Any, number: Any) -> None:
    if kind == "vlan":
        if physical and physical not in VLANS:
            raise invalid(f"physical_network '{physical}' unknown for VLAN provider network")
        if number is not None and not physical:
            raise invalid("segmentation_id requires physical_network for VLAN provider network")
        if number is not None and not 1 <= number <= 4094:
            raise invalid("segmentation_id out of range (1 through 4094)")
    elif kind == "flat":
        if not physical:
            raise invalid("physical_network required for flat provider network")
        if number is not None:
            raise invalid("segmentation_id prohibited for flat provider network")
    elif physical:
        raise invalid(f"provider:physical_network specified for {kind} network")


def _number(state: NetworkState, kind: str, physical: Any, asked: int | None) -> int:
    if asked is not None:
        return asked
    taken = state.segments.get(f"{kind} {physical or ''}", {})
    free = VLANS[physical] if kind == "vlan" else TUNNEL_IDS
    # Behind the last one that was given out, as numbers are not used again at once.
    state.numbers += 1
    start = state.numbers % len(free)
    for step in range(len(free)):
        number = free[(start + step) % len(free)]
        if number not in taken:
            return number
    raise RefusedError(503, "Unable to create the network. No network is available for allocation.",
                       "NoNetworkAvailable")  # fmt: skip


def _in_use(kind: str, physical: Any, number: Any) -> RefusedError:
    if kind == "vlan":
        return conflict("VlanIdInUse", f"Unable to create the network. The VLAN {number} on physical network "
                                       f"{physical} is in use.")  # fmt: skip
    if kind == "flat":
        return conflict("FlatNetworkInUse", f"Unable to create the flat network. Physical network {physical} is in "
                                            "use.")  # fmt: skip
    return conflict("TunnelIdInUse", f"Unable to create the network. The tunnel ID {number} is in use.")
