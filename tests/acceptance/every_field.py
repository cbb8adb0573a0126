"""How many fields of each type arrive: ``python -m tests.acceptance.every_field`` prints ``docs/fields.md``.

The tenant of ``tests.acceptance.everything`` has of each type a resource as it is by default (``plain``) and
others in which every field that the API lets one set is set otherwise (``flipped``). After the move the raw
answers of both clouds are compared; ids are replaced by the names of what they stand for, in both.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable
from typing import Any

from tests.acceptance.cleanup import Cleaner
from tests.acceptance.clouds import Account, Json
from tests.acceptance.everything import quotas
from tests.acceptance.everything.reasons import FIXED, LOST, OF_THE_SERVICE
from tests.acceptance.tenant.model import Tenant

#: What the source speaks: a field that only the destination knows cannot be carried from there.
COMPUTE, VOLUME = "2.93", "3.70"
#: Lists whose order means something.
ORDERED = {"dns_nameservers", "fixed_ips", "multi_factor_auth_rules"}
#: In values: of the service's own making, or in the older spelling of another key beside it.
NOISE = {"links", "attachment_id", "attached_at", "host_name", "tenant_id"}

#: Reads all resources of a kind that belong to a run.
Reader = Callable[[Account, Cleaner], Iterable[Json]]


@dataclasses.dataclass(frozen=True)
class Kind:
    """How resources of a type are read, and told from each other."""

    read: Reader
    #: Its id, by which the builder remembers it.
    id: Callable[[Json], str] = lambda thing: str(thing["id"])
    #: What stands for it in both clouds, with ids replaced already.
    key: Callable[[Json], str] = lambda thing: str(thing["name"])


def _network(path: str, key: str = "") -> Reader:
    key = key or path.rpartition("/")[2].replace("-", "_")
    return lambda cloud, run: filter(run.ours, cloud.network.list(f"/{path}", key))


def _named(service: str, path: str, key: str, **query: Any) -> Reader:
    return lambda cloud, run: (t for t in getattr(cloud, service).list(path, key, **query) if run.prefix in t["name"])


def _roles(cloud: Account, run: Cleaner) -> Iterable[Json]:
    domains = [role for d in run.domains for role in cloud.identity.list("/roles", "roles", domain_id=d["id"])]
    return [role for role in cloud.identity.list("/roles", "roles") + domains if run.prefix in role["name"]]


def _groups(cloud: Account, run: Cleaner) -> list[Json]:
    return [
        group for domain in run.domains for group in cloud.identity.list("/groups", "groups", domain_id=domain["id"])
    ]


def _memberships(cloud: Account, run: Cleaner) -> Iterable[Json]:
    for group in _groups(cloud, run):
        for user in cloud.identity.list(f"/groups/{group['id']}/users", "users"):
            yield {"group_id": group["id"], "user_id": user["id"]}


def _assignments(cloud: Account, run: Cleaner) -> Iterable[Json]:
    scopes = [{"scope.project.id": id_} for id_ in run.projects] + [{"scope.domain.id": d["id"]} for d in run.domains]
    for scope in scopes:
        yield from cloud.identity.list("/role_assignments", "role_assignments", **scope)


def _implied(cloud: Account, run: Cleaner) -> Iterable[Json]:
    for role in _roles(cloud, run):
        answer = cloud.identity.call("GET", f"/roles/{role['id']}/implies").json()
        for implied in answer["role_inference"]["implies"]:
            yield {"prior_role_id": role["id"], "implied_role_id": implied["id"]}


def _credentials(cloud: Account, run: Cleaner) -> Iterable[Json]:
    for user in run.users:
        yield from cloud.identity.list(f"/users/{user['id']}/credentials/OS-EC2", "credentials")


def _quotas(service: str) -> Reader:
    def read(cloud: Account, run: Cleaner) -> Iterable[Json]:
        for project in cloud.identity.list("/projects", "projects"):
            if project["id"] in run.projects:
                limits = quotas.read(cloud, service, project["id"])
                # Cinder has limits for each type of volume, those of the run too
                told = {field: value for field, value in limits.items() if run.prefix not in field}
                yield {"id": project["id"], "name": project["name"], **told}

    return read


def _access(cloud: Account, run: Cleaner) -> Iterable[Json]:
    for flavor in _flavors(cloud, run):
        if not flavor["os-flavor-access:is_public"]:
            yield from cloud.compute.list(f"/flavors/{flavor['id']}/os-flavor-access", "flavor_access")


_flavors = _named("compute", "/flavors/detail", "flavors", is_public="None")


def _keypairs(cloud: Account, run: Cleaner) -> Iterable[Json]:
    for user in run.users:
        for pair in cloud.compute.list("/os-keypairs", "keypairs", user_id=user["id"]):
            name = pair["keypair"]["name"]
            yield cloud.compute.get(f"/os-keypairs/{name}?user_id={user['id']}")


def _images(cloud: Account, run: Cleaner) -> Iterable[Json]:
    things = cloud.image.list("/images", "images", visibility="all")
    things += cloud.image.list("/images", "images", visibility="all", os_hidden="true")
    return filter(run.ours, things)


def _members(cloud: Account, run: Cleaner) -> Iterable[Json]:
    for image in _images(cloud, run):
        if image["visibility"] == "shared":
            yield from cloud.image.list(f"/images/{image['id']}/members", "members")


def _interfaces(cloud: Account, run: Cleaner) -> Iterable[Json]:
    for router in _network("routers")(cloud, run):
        for port in cloud.network.list("/ports", "ports", device_id=router["id"]):
            if "gateway" not in port["device_owner"]:
                yield {"router_id": router["id"], **port["fixed_ips"][0]}


def _types(cloud: Account, run: Cleaner) -> list[Json]:
    return list(_named("volume", "/types", "volume_types", is_public="None")(cloud, run))


def _type_access(cloud: Account, run: Cleaner) -> Iterable[Json]:
    for type_ in _types(cloud, run):
        if not type_["is_public"]:
            yield from cloud.volume.list(f"/types/{type_['id']}/os-volume-type-access", "volume_type_access")


def _type_qos(cloud: Account, run: Cleaner) -> Iterable[Json]:
    for type_ in _types(cloud, run):
        if type_["qos_specs_id"]:
            yield {"volume_type_id": type_["id"], "qos_specs_id": type_["qos_specs_id"]}


def _owned(service: str, collection: str, key: str = "") -> Reader:
    key = key or collection
    path = f"/{collection}/detail"
    return lambda cloud, run: filter(run.ours, getattr(cloud, service).list(path, key, all_tenants=1))


def _link(*fields: str) -> dict[str, Any]:
    """A resource that is nothing but references."""
    return {
        "id": lambda thing: "/".join(thing[field] for field in fields),
        "key": lambda thing: "/".join(str(thing[field]) for field in fields),
    }


def _assignment_id(thing: Json) -> str:
    scope = thing["scope"]
    where = (scope.get("project") or scope.get("domain"))["id"]
    who = (thing.get("user") or thing["group"])["id"]
    return f"{who}/{where}/{thing['role']['id']}" + ("/inherited" if "OS-INHERIT:inherited_to" in scope else "")


def _rule_key(thing: Json) -> str:
    return thing["description"] or f"{thing['security_group_id']} {thing['direction']} {thing['ethertype']}"


#: What is referred to comes before what refers to it.
KINDS: dict[str, Kind] = {
    "domain": Kind(lambda cloud, run: run.domains),
    "project": Kind(
        lambda cloud, run: [p for p in cloud.identity.list("/projects", "projects") if p["id"] in run.projects]
    ),
    "role": Kind(_roles),
    "implied_role": Kind(_implied, **_link("prior_role_id", "implied_role_id")),
    "user": Kind(lambda cloud, run: run.users),
    "group": Kind(_groups),
    "membership": Kind(_memberships, **_link("group_id", "user_id")),
    "assignment": Kind(_assignments, _assignment_id, _assignment_id),
    "credential": Kind(
        _credentials, lambda thing: thing["access"], lambda thing: f"{thing['user_id']} {thing['tenant_id']}"
    ),
    "compute_quota": Kind(_quotas("compute")),
    "volume_quota": Kind(_quotas("volume")),
    "network_quota": Kind(_quotas("network")),
    "flavor": Kind(_flavors),
    "flavor_access": Kind(_access, **_link("flavor_id", "tenant_id")),
    "keypair": Kind(_keypairs, lambda thing: f"{thing['user_id']}/{thing['name']}"),
    "server_group": Kind(_named("compute", "/os-server-groups", "server_groups", all_projects=1)),
    "image": Kind(_images),
    "image_member": Kind(_members, **_link("image_id", "member_id")),
    "qos_policy": Kind(_network("qos/policies")),
    "address_scope": Kind(_network("address-scopes")),
    "subnet_pool": Kind(_network("subnetpools")),
    "address_group": Kind(_network("address-groups")),
    "network": Kind(_network("networks")),
    "subnet": Kind(_network("subnets")),
    "security_group": Kind(_network("security-groups")),
    "security_group_rule": Kind(_network("security-group-rules"), key=_rule_key),
    "port": Kind(_network("ports"), key=lambda thing: thing["name"] or thing["mac_address"]),
    "router": Kind(_network("routers")),
    "router_interface": Kind(_interfaces, **_link("router_id", "subnet_id")),
    "floating_ip": Kind(_network("floatingips"), key=lambda thing: str(thing["floating_ip_address"])),
    "trunk": Kind(_network("trunks")),
    "rbac_policy": Kind(
        lambda cloud, run: [p for p in _network("rbac-policies")(cloud, run) if p["target_tenant"] != "*"],
        key=lambda thing: f"{thing['object_id']} for {thing['target_tenant']}",
    ),
    "volume_type": Kind(_types),
    "volume_type_access": Kind(_type_access, **_link("volume_type_id", "project_id")),
    "qos_spec": Kind(_named("volume", "/qos-specs", "qos_specs")),
    "volume_type_qos": Kind(_type_qos, **_link("volume_type_id", "qos_specs_id")),
    "volume": Kind(_owned("volume", "volumes")),
    "server": Kind(_owned("compute", "servers")),
}


#: Types of which the lab cannot have one that moves.
ELSEWHERE = {
    "volume_type_encryption": "no volume of such a type can be made without a key manager, which the lab has not",
    "volume_snapshot": "the lab's driver cannot read a volume that has one, and the volume stays",
}


class Side:
    """All of a run's resources on one cloud."""

    def __init__(self, cloud: Account, prefix: str) -> None:
        cloud = Account(cloud.connection, COMPUTE, VOLUME)
        run = Cleaner(cloud, prefix)
        #: What an id stands for.
        self.labels = {role["id"]: f"role {role['name']}" for role in cloud.identity.list("/roles", "roles")}
        #: type -> id -> fields that refer to something.
        self.references: dict[str, dict[str, set[str]]] = {}
        #: type -> id -> (key, as the API shows it, with names in place of ids).
        self.seen: dict[str, dict[str, tuple[str, Json]]] = {}
        raw = {type_: [(kind.id(thing), thing) for thing in kind.read(cloud, run)] for type_, kind in KINDS.items()}
        for type_, kind in KINDS.items():
            for id_, thing in raw[type_]:
                # quotas have the ids of their projects
                self.labels.setdefault(id_, f"{type_} {kind.key(self._named(thing))}")
        for type_, kind in KINDS.items():
            things = ((id_, self._named(thing)) for id_, thing in raw[type_])
            self.seen[type_] = {id_: (kind.key(thing), thing) for id_, thing in things}
            self.references[type_] = {
                id_: {field for field, value in thing.items() if self._refers(value)} for id_, thing in raw[type_]
            }

    def _named(self, thing: Json) -> Json:
        return {field: self._plain(field, value) for field, value in thing.items()}

    def _refers(self, value: Any) -> bool:
        if isinstance(value, dict):
            return any(self._refers(inner) for inner in value.values())
        if isinstance(value, list):
            return any(self._refers(inner) for inner in value)
        return isinstance(value, str) and value in self.labels

    def _plain(self, field: str, value: Any) -> Any:
        if isinstance(value, str):
            return self.labels.get(value, value)
        if isinstance(value, dict):
            kept = {k: v for k, v in value.items() if k not in NOISE and (k != "id" or v in self.labels)}
            return {k: self._plain(k, v) for k, v in kept.items()}
        if isinstance(value, list):
            elements = [self._plain("", element) for element in value]
            return elements if field in ORDERED else sorted(elements, key=repr)
        return value


@dataclasses.dataclass
class Row:
    """What became of the fields of one type."""

    carried: list[str]
    #: Field -> what it was and what it became.
    lost: dict[str, str]
    #: Neither different from the plain one, nor named as what cannot be.
    untold: list[str]


def rows(tenant: Tenant, here: Side, there: Side) -> dict[str, Row]:
    """Each type's row; ``here`` as it was before the move."""
    return {type_: _row(tenant.ids.get(type_, {}), type_, here, there) for type_ in KINDS}


def _row(ids: dict[str, str], type_: str, here: Side, there: Side) -> Row:
    fixed = {*OF_THE_SERVICE, *FIXED.get(type_, ())}
    _, plain = here.seen[type_].get(ids.get("plain", ""), ("", {}))
    arrived = dict(there.seen[type_].values())
    flipped: set[str] = set()
    every: set[str] = set()
    lost: dict[str, str] = {}
    for short, id_ in ids.items():
        if not short.startswith("flipped"):
            continue
        assert id_ in here.seen[type_], f"{type_} {short} cannot be read"
        key, thing = here.seen[type_][id_]
        every |= thing.keys()
        for field in sorted(thing.keys() - fixed):
            refers = field in here.references[type_][id_]
            if plain and not refers and thing[field] == plain.get(field):
                continue
            flipped.add(field)
            became = arrived.get(key, {}).get(field, "nothing")
            if became != thing[field]:
                lost.setdefault(field, f"{short}: {thing[field]!r} became {became!r}")
    return Row(sorted(flipped - lost.keys()), lost, sorted(every - flipped - fixed))


def page(found: dict[str, Row]) -> str:
    """``docs/fields.md``."""
    lines = [HEAD]
    for type_, row in found.items():
        if count := len(row.carried) + len(row.lost):
            reasons = LOST.get(type_, {})
            lost = "; ".join(f"`{field}`: {reasons.get(field, '?')}" for field in sorted(row.lost))
            lines.append(f"| {type_} | {len(row.carried)} of {count} | {', '.join(_code(row.carried))} | {lost} |")
    lines += ["", *(f"Not there: {type_}, as {reason}." for type_, reason in ELSEWHERE.items()), FOOT]
    for type_ in found:
        reasons: dict[str, list[str]] = {}
        for field, reason in FIXED.get(type_, {}).items():
            reasons.setdefault(reason, []).append(field)
        if reasons:
            told = "; ".join(f"{', '.join(_code(fields))}: {reason}" for reason, fields in reasons.items())
            lines.append(f"| {type_} | {told} |")
    return "\n".join(lines)


def committed(text: str) -> dict[str, int]:
    """Type -> the number of carried fields that the page tells."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 3 and " of " in cells[2] and cells[2].split()[0].isdecimal():
            found[cells[1]] = int(cells[2].split()[0])
    return found


def _code(fields: Iterable[str]) -> list[str]:
    return [f"`{field}`" for field in fields]


HEAD = """# How many fields arrive

Made by `python -m tests.acceptance.every_field`: do not edit. On the two clouds of the [lab](lab.md) (Zed to 2026.1) a
tenant is made by plain REST requests which has of every type one resource as it is by default, and others in which each
field that the API lets one set is set otherwise. It is moved by one command, after the project below it. Then the raw
answers of both clouds are compared; where an answer holds the id of something, its name or address is compared. Of *m*
fields that were set, *n* arrived. The test `tests/acceptance/test_every_field.py` fails when a number shrinks.

| type | carried | fields | not carried |
|---|---|---|---|"""

FOOT = """
## Not to be set

Fields that no request can set otherwise, or not here. In all types: {of_the_service}.

| type | fields |
|---|---|""".format(of_the_service=", ".join(_code(OF_THE_SERVICE)))


def main() -> int:
    """Make the tenant, move it, print the page, remove it."""
    import tempfile
    from pathlib import Path

    from tests.acceptance import everything, lab, tenant
    from tests.acceptance.command import Pumphouse

    clouds = lab.start()
    prefix = tenant.new_prefix("evf")
    try:
        made = everything.build(
            clouds.source, clouds.destination, prefix, say=lambda line: print(line, file=sys.stderr)
        )
        here = Side(clouds.source, prefix)
        with tempfile.TemporaryDirectory() as folder:
            command = Pumphouse(Path(folder), clouds.clouds_file, clouds.databases)
            done = everything.move(command, made)
        print(done.said, file=sys.stderr)
        print(page(rows(made, here, Side(clouds.destination, prefix))))
    finally:
        for cloud in (clouds.source, clouds.destination):
            Cleaner(cloud, prefix, say=lambda line: print(line, file=sys.stderr)).clean()
    return 0


if __name__ == "__main__":
    sys.exit(main())
