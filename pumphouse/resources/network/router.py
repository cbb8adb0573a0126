"""Routers (Networking API v2.0, ``/v2.0/routers``); their interfaces are a type of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import status
from pumphouse.resources.base import FieldVerdict, Wire
from pumphouse.resources.fields import Field, Lookup, carry, refer, report, some, unordered
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.addresses import unavailable
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType, known_zones


class Gateway(Field):
    """``external_gateway_info``: it refers to a network and a QoS policy; its subnets follow from the addresses."""

    def translate(self, value: Any, lookup: Lookup) -> Any:
        """What to ask for in the destination."""
        if not value:
            return None
        wanted: Wire = {"network_id": lookup("network", value["network_id"])}
        if "enable_snat" in value:
            wanted["enable_snat"] = value["enable_snat"]
        if value.get("qos_policy_id"):
            wanted["qos_policy_id"] = lookup("qos_policy", value["qos_policy_id"])
        wanted["external_fixed_ips"] = [{"ip_address": address} for address in addresses(value)]
        return wanted


def addresses(gateway: Any) -> list[str]:
    """The addresses of ``external_gateway_info``, in their order."""
    return [ip["ip_address"] for ip in (gateway or {}).get("external_fixed_ips") or () if ip.get("ip_address")]


def leads(gateway: Any) -> Any:
    """Where a gateway leads and how, without its addresses."""
    if not gateway:
        return None
    return gateway.get("network_id"), bool(gateway.get("enable_snat", True)), gateway.get("qos_policy_id")


def _several(gateways: Any) -> bool:
    return len(gateways or ()) > 1


class Router(NetworkType):
    """A router with its way out. Extra routes are set once its interfaces are there."""

    type = "router"
    unit = "router"
    collection = "routers"
    extension = "router"
    owned = True
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique", match=True),
        refer("project_id", "project", "the project that owns it", match=True),
        carry("description", "free text"),
        carry("admin_state_up", "whether it forwards packets"),
        Gateway("external_gateway_info", "map", "the external network, its addresses there, SNAT and QoS",
                to="network", at=("network_id",), omit_null=True,
                normal=lambda value: value and (leads(value), sorted(addresses(value)))),
        carry("routes", "further routes", post=False, normal=unordered, extension="extraroute"),
        carry("distributed", "on every host (DVR); where the destination has that", extension="dvr", loose=True,
              normal=bool),
        carry("ha", "more than one at once; OVN's always are", extension="l3-ha", loose=True, normal=bool),
        carry("availability_zone_hints", "where it should be; where the destination has such zones",
              extension="router_availability_zone", names="availability_zones", loose=True),
        carry("enable_default_route_bfd", "watch several gateways", extension="enable-default-route-bfd", loose=True,
              normal=bool),
        carry("enable_default_route_ecmp", "use several gateways", extension="enable-default-route-ecmp", loose=True,
              normal=bool),
        carry("tags", "simple labels", normal=unordered),
        report("external_gateways", "only the first gateway is carried", worth=_several),
        report("enable_snat", "as in external_gateway_info"),
        report("qos_policy_id", "as in external_gateway_info"),
        report("flavor_id", "flavors of routers are the destination's own", worth=some),
        report("service_type_id", "of the source's drivers"),
        report("conntrack_helpers", "conntrack helpers are not carried", worth=some),
        report("availability_zones", "follows from the agents"),
        report("status", "ACTIVE always"),
    )  # fmt: skip

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """The gateway's QoS policy too."""
        yield from super().references(resource)
        if policy := (resource.get("external_gateway_info") or {}).get("qos_policy_id"):
            yield "qos_policy", policy

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """A router that leads elsewhere."""
        there, here = (wire.get("external_gateway_info") or {} for wire in (found, wanted))
        return ["external_gateway_info"] if there.get("network_id") != here.get("network_id") else []

    def losses_there(self, resource: Wire, lookup: Lookup, destination: Inventory) -> Iterator[tuple[str, Any, str]]:
        """An address of the gateway that cannot be had: the destination gives another."""
        gateway = resource.get("external_gateway_info") or {}
        network = lookup("network", gateway.get("network_id") or "")
        if network:
            for address in addresses(gateway):
                if why := unavailable(destination, network, address):
                    yield "external_gateway_info", address, f"the destination chooses another address: {why}"

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """As it is, or without what the destination refuses: addresses of the gateway, then its kind."""
        zones = known_zones(cloud, "router", wanted.get("availability_zone_hints"))
        wanted = {**wanted, **({"availability_zone_hints": zones} if zones is not None else {})}
        gateway = wanted.get("external_gateway_info")
        free = {**wanted, "external_gateway_info": {**gateway, "external_fixed_ips": []}} if gateway else wanted
        if gateway:
            del free["external_gateway_info"]["external_fixed_ips"]
        kinds = ("distributed", "ha")
        tries = [wanted, free, {k: v for k, v in wanted.items() if k not in kinds},
                 {k: v for k, v in free.items() if k not in kinds}]  # fmt: skip
        refused: Exception | None = None
        for number, one in enumerate(tries):
            if one in tries[:number]:
                continue
            try:
                return super().create(cloud, one)
            except Exception as error:
                if status(error) not in (400, 403, 404, 409):
                    raise
                refused = refused or error
        assert refused is not None  # noqa: S101 (the first is always tried)
        raise refused

    def compare(self, source: Wire, destination: Wire, lookup: Lookup, **more: Any) -> Sequence[FieldVerdict]:
        """Where only the gateway's addresses differ, they were not to be had."""
        return [
            self._addresses_only(verdict, source, destination, lookup)
            for verdict in super().compare(source, destination, lookup, **more)
        ]

    def _addresses_only(self, verdict: FieldVerdict, source: Wire, destination: Wire, lookup: Lookup) -> FieldVerdict:
        if (verdict.field, verdict.verdict) != ("external_gateway_info", "differs"):
            return verdict
        field = next(field for field in self.fields if field.name == verdict.field)
        wanted = field.translate(source.get(field.name), lookup)
        there = destination.get(field.name)
        if not wanted or not wanted["network_id"] or leads(wanted) != leads(there):
            return verdict
        reason = "its address could not be had in the destination, which has chosen another"
        return dataclasses.replace(verdict, verdict="not carried", reason=reason)
