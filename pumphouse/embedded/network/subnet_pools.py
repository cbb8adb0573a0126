"""Subnet pools, and the address scopes that they are part of."""

from __future__ import annotations

import ipaddress
from typing import Any

from flask import request

from pumphouse.embedded.network import checks
from pumphouse.embedded.network.attributes import NAME, OPEN, READ_ONLY, REQUIRED, Attribute
from pumphouse.embedded.network.errors import bad, conflict, invalid
from pumphouse.embedded.network.resource import Call, Resource
from pumphouse.embedded.service import Json, RefusedError, Route

_LENGTHS = ("default_prefixlen", "min_prefixlen", "max_prefixlen")
#: IP version -> shortest prefix, longest prefix, size of what a quota counts.
_BOUNDS = {4: (8, 32, 32), 6: (64, 128, 64)}


class AddressScopes(Resource):
    """Ranges between which routers need not translate."""

    collection, singular, path = "address_scopes", "address_scope", "address-scopes"
    gone = ("AddressScopeNotFound", "Address scope {} could not be found.")
    standard = ()
    attributes = {
        "name": NAME,
        "ip_version": Attribute(REQUIRED, checks.one_of((4, 6), checks.integer), put=False),
        "shared": Attribute(False, checks.boolean, operators=True),
    }

    def make(self, project_id: str, wanted: Json) -> Json:
        """``shared`` is a policy of its own."""
        shared = wanted.pop("shared")
        row = super().make(project_id, wanted)
        if shared:
            self.service.rbac.share("address_scope", row, "access_as_shared")
        return row

    def alter(self, row: Json, wanted: Json) -> None:
        """A scope that is shared stays so."""
        shared = wanted.pop("shared", None)
        is_shared = self.service.rbac.open_to_all(row["id"], "access_as_shared") is not None
        if shared is False and is_shared:
            raise RefusedError(400, f"Unable to update address scope {row['id']} : Shared address scope can't be "
                                    "unshared.", "AddressScopeUpdateError")  # fmt: skip
        if shared and not is_shared:
            self.service.rbac.share("address_scope", row, "access_as_shared")
        super().alter(row, wanted)

    def erase(self, row: Json) -> None:
        """Not while pools are part of it."""
        if self.service.state.tables["subnetpools"].count("address_scope_id", row["id"]):
            raise conflict("AddressScopeInUse", f"Unable to complete operation on address scope {row['id']}. There are "
                                                "one or more subnet pools in use on the address scope.")  # fmt: skip
        super().erase(row)

    def view(self, row: Json) -> Json:
        """Whether it is shared follows from policies."""
        return {**super().view(row), "shared": self.service.shares(row["id"], "access_as_shared")}


class SubnetPools(Resource):
    """Ranges from which subnets are cut."""

    collection, singular, path = "subnetpools", "subnetpool", "subnetpools"
    gone = ("SubnetPoolNotFound", "Subnet pool {} could not be found.")
    quota = "subnetpool"
    attributes = {
        "name": Attribute(REQUIRED, checks.text(least=1)),
        "prefixes": Attribute(REQUIRED, checks.cidrs),
        **dict.fromkeys(_LENGTHS, Attribute(OPEN, checks.natural)),
        "default_quota": Attribute(None, lambda value: None if value is None else checks.natural(value)),
        "address_scope_id": Attribute(None, checks.uuid_or_none),
        "is_default": Attribute(False, checks.boolean, operators=True),
        "shared": Attribute(False, checks.boolean, put=False, operators=True),
        "ip_version": READ_ONLY,
    }

    def calls(self) -> list[Call]:
        """Prefixes can be added and taken away, too."""
        one = f"/v2.0/{self.path}/<id_>"
        return [
            *super().calls(),
            (Route("PUT", f"{one}/add_prefixes", False, False), self.add_prefixes),
            (Route("PUT", f"{one}/remove_prefixes", False, False), self.remove_prefixes),
        ]

    def make(self, project_id: str, wanted: Json) -> Json:
        """With bounds of its version where none are given."""
        shared = wanted.pop("shared")
        wanted = {**wanted, **self._settled(wanted)}
        self._check_scope(wanted, "")
        if wanted["is_default"]:
            self._check_only_default(wanted["ip_version"])
        row = super().make(project_id, wanted)
        if shared:
            self.service.rbac.share("subnetpool", row, "access_as_shared")
        return row

    def alter(self, row: Json, wanted: Json) -> None:
        """Prefixes may only be added."""
        if "prefixes" in wanted:
            there, here = (set(_networks(prefixes)) for prefixes in (row["prefixes"], wanted["prefixes"]))
            if not all(any(one.subnet_of(other) for other in here) for one in there):
                raise RefusedError(400, "Illegal update to prefixes: Existing prefixes must be a subset of the new "
                                        "prefixes.", "IllegalSubnetPoolPrefixUpdate")  # fmt: skip
        spec = {**row, **wanted}
        spec = {**spec, **self._settled(spec)}
        self._check_scope(spec, row["id"])
        if wanted.get("is_default") and not row["is_default"]:
            self._check_only_default(row["ip_version"])
        self.table.change(row, **{name: spec[name] for name in (*wanted, *_LENGTHS, "prefixes")})

    def erase(self, row: Json) -> None:
        """Not while subnets are cut from it."""
        if self.service.state.tables["subnets"].count("subnetpool_id", row["id"]):
            raise RefusedError(400, "Unable to delete subnet pool: Subnet pool has existing allocations.",
                               "SubnetPoolDeleteError")  # fmt: skip
        super().erase(row)

    def view(self, row: Json) -> Json:
        """Lengths are told as strings."""
        shown = {**super().view(row), "shared": self.service.shares(row["id"], "access_as_shared")}
        return {**shown, **{name: str(row[name]) for name in _LENGTHS}}

    def add_prefixes(self, id_: str) -> Json:
        """More ranges."""
        row = self.seen(id_)
        self.may_change(row, "update", {})
        self.alter(row, {"prefixes": _merged([*row["prefixes"], *self._given_prefixes()])})
        self.touch(row)
        return {"prefixes": row["prefixes"]}

    def remove_prefixes(self, id_: str) -> Json:
        """Fewer; not those that subnets are cut from."""
        row = self.seen(id_)
        self.may_change(row, "update", {})
        gone = _networks(self._given_prefixes())
        subnets = _networks([subnet["cidr"] for subnet in self.service.state.tables["subnets"].where(
            "subnetpool_id", row["id"])])  # fmt: skip
        if any(one.overlaps(other) for one in gone for other in subnets):
            raise RefusedError(400, "Illegal update to prefixes: One or more the prefixes to be removed is in use by a "
                                    "subnet..", "IllegalSubnetPoolPrefixUpdate")  # fmt: skip
        left = [part for whole in _networks(row["prefixes"]) for part in _without(whole, gone)]
        self.table.change(row, prefixes=_merged([str(part) for part in left]))
        self.touch(row)
        return {"prefixes": row["prefixes"]}

    def _given_prefixes(self) -> list[str]:
        try:
            return checks.cidrs((request.get_json(force=True, silent=True) or {}).get("prefixes"))
        except ValueError as error:
            raise invalid(str(error)) from None

    def range_for(self, project_id: str, wanted: Json) -> tuple[Json | None, str]:
        """The pool and the range of a new subnet."""
        cidr, length = wanted.get("cidr"), wanted.get("prefixlen")
        if cidr and length is not None:
            raise bad("subnets", "cidr and prefixlen must not be supplied together")
        pool = self._pool_for(wanted)
        if pool is None:
            if not cidr:
                raise bad("subnets", "a subnetpool must be specified in the absence of a cidr")
            return None, cidr
        if pool["ip_version"] != wanted["ip_version"]:
            asked, has = wanted["ip_version"], pool["ip_version"]
            raise bad("subnets", f"Cannot allocate IPv{asked} subnet from IPv{has} subnet pool")
        if "allocation_pools" in wanted and not cidr:
            raise bad("subnets", "allocation_pools allowed only for specific subnet requests")
        if cidr:
            length = ipaddress.ip_network(cidr).prefixlen
        return pool, self._cut(pool, project_id, length if length is not None else pool["default_prefixlen"], cidr)

    def _pool_for(self, wanted: Json) -> Json | None:
        id_ = wanted.get("subnetpool_id")
        if wanted["use_default_subnetpool"]:
            if id_:
                raise bad("subnets", "subnetpool_id and use_default_subnetpool cannot both be specified")
            pool = self.default(wanted["ip_version"])
            if pool is None:
                raise bad("subnets", f"No default subnetpool found for IPv{wanted['ip_version']}")
            return pool
        return self.seen(id_) if id_ else None

    def _cut(self, pool: Json, project_id: str, length: int, cidr: str | None) -> str:
        for type_, wrong, bound, word in (
            ("MaxPrefixSubnetAllocationError", length > pool["max_prefixlen"], pool["max_prefixlen"], "maximum"),
            ("MinPrefixSubnetAllocationError", length < pool["min_prefixlen"], pool["min_prefixlen"], "minimum"),
        ):
            if wrong:
                raise RefusedError(400, f"Unable to allocate subnet with prefix length {length}, {word} allowed prefix "
                                        f"is {bound}.", type_)  # fmt: skip
        subnets = self.service.state.tables["subnets"].where("subnetpool_id", pool["id"])
        unit = _BOUNDS[pool["ip_version"]][2]
        if pool["default_quota"]:
            used = sum(2 ** (unit - int(one["cidr"].partition("/")[2])) for one in subnets
                       if one["project_id"] == project_id)  # fmt: skip
            if used + 2 ** (unit - length) > pool["default_quota"]:
                raise conflict(
                    "SubnetPoolQuotaExceeded", f"Per-{self.service.owner} subnet pool prefix quota exceeded."
                )
        taken = _networks([subnet["cidr"] for subnet in subnets])
        free = [part for whole in _networks(pool["prefixes"]) for part in _without(whole, taken)]
        if cidr:
            asked: Any = ipaddress.ip_network(cidr)
            if any(asked.subnet_of(part) for part in free):
                return cidr
            reason = "Cannot allocate requested subnet from the available set of prefixes"
            raise RefusedError(500, f"Failed to allocate subnet: {reason}.", "SubnetAllocationError")
        for part in sorted(free, key=lambda part: (-part.prefixlen, part)):
            if part.prefixlen <= length:
                return str(next(part.subnets(new_prefix=length)))
        reason = f"Insufficient prefix space to allocate subnet size /{length}"
        raise RefusedError(500, f"Failed to allocate subnet: {reason}.", "SubnetAllocationError")

    def check_affinity(self, others: list[Json], version: int, pool: Json | None) -> None:
        """Subnets of one network and version come from one pool, or from pools of one scope."""
        for other in others:
            theirs = self.table.get(other["subnetpool_id"])
            if other["ip_version"] != version or (theirs and theirs["id"]) == (pool and pool["id"]):
                continue
            scopes = {one["address_scope_id"] for one in (theirs, pool) if one}
            if theirs and theirs["address_scope_id"]:
                if pool and len(scopes) == 1:
                    continue
                raise RefusedError(400, "Subnets of the same address family hosted on the same network must all "
                                        "participate in the same address scope.",
                                   "NetworkAddressScopeAffinityError")  # fmt: skip
            raise RefusedError(400, "Subnets hosted on the same network must be allocated from the same subnet pool.",
                               "NetworkSubnetPoolAffinityError")  # fmt: skip

    def default(self, version: int) -> Json | None:
        """The pool that is taken where none is named."""
        return next((one for one in self.table if one["is_default"] and one["ip_version"] == version), None)

    def _check_only_default(self, version: int) -> None:
        if self.default(version):
            raise invalid("A default subnetpool for this IP family has already been set. Only one default may exist "
                          "per IP family")  # fmt: skip

    def _settled(self, wanted: Json) -> Json:
        if not wanted["prefixes"]:
            raise RefusedError(400, "Empty subnet pool prefix list.", "EmptySubnetPoolPrefixList")
        versions = {network.version for network in _networks(wanted["prefixes"])}
        if len(versions) > 1:
            raise RefusedError(400, "Cannot mix IPv4 and IPv6 prefixes in a subnet pool.", "PrefixVersionMismatch")
        (version,) = versions
        least, most, _ = _BOUNDS[version]
        low, high = wanted.get("min_prefixlen", least), wanted.get("max_prefixlen", most)
        size = wanted.get("default_prefixlen", low)
        for kind, value, base_kind, base, wrong in (
            ("min_prefixlen", low, "max_prefixlen", high, low > high),
            ("max_prefixlen", high, "ip_version", most, high > most),
            ("default_prefixlen", size, "min_prefixlen", low, size < low),
            ("default_prefixlen", size, "max_prefixlen", high, size > high),
        ):
            if wrong:
                raise RefusedError(400, f"Illegal prefix bounds: {kind}={value}, {base_kind}={base}.",
                                   "IllegalSubnetPoolPrefixBounds")  # fmt: skip
        return {"ip_version": version, "prefixes": _merged(wanted["prefixes"]), "min_prefixlen": low,
                "max_prefixlen": high, "default_prefixlen": size}  # fmt: skip

    def _check_scope(self, wanted: Json, id_: str) -> None:
        if not wanted["address_scope_id"]:
            return
        scope = self.service.address_scopes.seen(wanted["address_scope_id"])
        if scope["ip_version"] != wanted["ip_version"]:
            raise RefusedError(
                400,
                f"Illegal subnetpool association: subnetpool {id_} cannot associate with address scope {scope['id']} "
                f"because subnetpool ip_version is not {scope['ip_version']}.",
                "IllegalSubnetPoolIpVersionAssociationToAddressScope",
            )
        mine = _networks(wanted["prefixes"])
        for other in self.table.where("address_scope_id", scope["id"]):
            if other["id"] != id_ and any(a.overlaps(b) for a in mine for b in _networks(other["prefixes"])):
                raise conflict("AddressScopePrefixConflict", "Failed to associate address scope: subnetpools within an "
                                                             "address scope must have unique prefixes.")  # fmt: skip


def _networks(prefixes: list[str]) -> list[Any]:
    return [ipaddress.ip_network(prefix) for prefix in prefixes]


def _merged(prefixes: list[str]) -> list[str]:
    return [str(network) for network in ipaddress.collapse_addresses(_networks(prefixes))]


def _without(whole: Any, taken: list[Any]) -> list[Any]:
    """What is left of a range."""
    make = ipaddress.IPv4Address if whole.version == 4 else ipaddress.IPv6Address
    start, end = int(whole.network_address), int(whole.broadcast_address)
    left: list[Any] = []
    inside = sorted((int(one.network_address), int(one.broadcast_address)) for one in taken if one.overlaps(whole))
    for low, high in [*inside, (end + 1, end + 1)]:
        if low > start:
            left += ipaddress.summarize_address_range(make(start), make(low - 1))
        start = max(start, high + 1)
    return left
