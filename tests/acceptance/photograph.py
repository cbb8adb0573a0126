"""All of one run's things on one cloud, as the services show them; and what differs between two.

A photograph is ``{kind: {id: fields}}``. What belongs to a thing without an id of its own (an image's members,
a server's attachments, a flavor's access) is among its fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import pymysql
from sqlalchemy.engine import make_url

from tests.acceptance.cleanup import Cleaner
from tests.acceptance.clouds import Account, Json

Photograph = dict[str, dict[str, Json]]


def photograph(cloud: Account, prefix: str, database: str | None = None) -> Photograph:
    """Everything whose name holds the prefix or that lies in such a project; passwords by SQL."""
    run = Cleaner(cloud, prefix)
    seen: Photograph = {"domain": _by_id(run.domains), "user": _by_id(run.users)}
    _identity(cloud, run, seen)
    if database:
        for user_id, row in passwords(database, seen["user"]).items():
            seen["user"][user_id]["password rows"] = row
    _compute(cloud, run, seen)
    _images(cloud, run, seen)
    _volumes(cloud, run, seen)
    _networks(cloud, run, seen)
    return seen


def passwords(database: str, user_ids: Iterable[str]) -> dict[str, list[str]]:
    """Every row of a user's passwords, hashes digested, oldest first."""
    url = make_url(database)
    found = {}
    with pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=url.database,
    ) as connection:
        for user_id in user_ids:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT password_hash, expires_at_int, created_at_int FROM password JOIN local_user"
                    " ON local_user.id = password.local_user_id WHERE user_id = %s ORDER BY created_at_int",
                    (user_id,),
                )
                found[user_id] = [
                    f"{hashlib.sha256((row[0] or '').encode()).hexdigest()} {row[1]} {row[2]}" for row in cursor
                ]
    return found


def differences(before: Photograph, after: Photograph, allowed: Callable[[str, str, str], bool]) -> list[str]:
    """One line for each thing that came, went or changed, but for ``allowed(kind, id, field)``."""
    lines = []
    for kind in sorted({*before, *after}):
        old, new = before.get(kind, {}), after.get(kind, {})
        lines += [f"{kind} {id_} ({old[id_].get('name')}) is gone" for id_ in sorted(old.keys() - new.keys())]
        lines += [f"{kind} {id_} ({new[id_].get('name')}) is new" for id_ in sorted(new.keys() - old.keys())]
        for id_ in sorted(old.keys() & new.keys()):
            for field in sorted({*old[id_], *new[id_]}):
                was, is_ = old[id_].get(field), new[id_].get(field)
                if was != is_ and not allowed(kind, id_, field):
                    lines.append(f"{kind} {id_} ({old[id_].get('name')}): {field}: {was!r} -> {is_!r}")
    return lines


def _by_id(things: Iterable[Json]) -> dict[str, Json]:
    return {thing["id"]: _plain(thing) for thing in things}


def _plain(thing: Any) -> Any:
    """Without links, which hold nothing; lists without a meaningful order are sorted."""
    if isinstance(thing, dict):
        kept = {key: _plain(value) for key, value in thing.items() if key != "links"}
        for key in (
            "tags",
            "security_groups",
            "fixed_ips",
            "dns_nameservers",
            "host_routes",
            "subnets",
            "allocation_pools",
        ):
            if isinstance(kept.get(key), list) and key != "dns_nameservers":
                kept[key] = sorted(kept[key], key=str)
        return kept
    return [_plain(element) for element in thing] if isinstance(thing, list) else thing


def _identity(cloud: Account, run: Cleaner, seen: Photograph) -> None:
    identity = cloud.identity
    seen["project"] = _by_id(p for p in identity.list("/projects", "projects") if p["id"] in run.projects)
    seen["role"] = _by_id(r for r in identity.list("/roles", "roles") if run.prefix in r["name"])
    seen["assignment"] = {}
    for project_id in run.projects:
        query = {"scope.project.id": project_id, "include_names": "true"}
        for found in identity.list("/role_assignments", "role_assignments", **query):
            who = found.get("user") or found["group"]
            key = f"{project_id} {who['id']} {found['role']['id']}"
            seen["assignment"][key] = {"name": f"{who['name']}: {found['role']['name']}", **_plain(found)}


def _compute(cloud: Account, run: Cleaner, seen: Photograph) -> None:
    compute = cloud.compute
    servers = filter(run.ours, compute.list("/servers/detail", "servers", all_tenants=1))
    seen["server"] = _by_id(servers)
    for id_, server in seen["server"].items():
        attachments = compute.list(f"/servers/{id_}/os-volume_attachments", "volumeAttachments")
        server["attachments"] = sorted((_plain(a) for a in attachments), key=lambda a: a["device"])
        interfaces = compute.list(f"/servers/{id_}/os-interface", "interfaceAttachments")
        server["interfaces"] = {i["mac_addr"]: {"port_id": i["port_id"], "tag": i["tag"]} for i in interfaces}
    flavors = compute.list("/flavors/detail", "flavors", is_public="None")
    seen["flavor"] = _by_id(flavor for flavor in flavors if run.prefix in flavor["name"])
    for id_, flavor in seen["flavor"].items():
        access = compute.list(f"/flavors/{id_}/os-flavor-access", "flavor_access")
        flavor["access"] = sorted(entry["tenant_id"] for entry in access)
    seen["keypair"] = {}
    for user in run.users:
        for pair in compute.list("/os-keypairs", "keypairs", user_id=user["id"]):
            seen["keypair"][f"{user['id']} {pair['keypair']['name']}"] = _plain(pair["keypair"])


def _images(cloud: Account, run: Cleaner, seen: Photograph) -> None:
    image = cloud.image
    things = image.list("/images", "images", visibility="all")
    things += image.list("/images", "images", visibility="all", os_hidden="true")
    seen["image"] = _by_id(filter(run.ours, things))
    for id_, found in seen["image"].items():
        if found["visibility"] == "shared":
            members = image.list(f"/images/{id_}/members", "members")
            found["members"] = {member["member_id"]: member["status"] for member in members}


def _volumes(cloud: Account, run: Cleaner, seen: Photograph) -> None:
    for kind in ("volume", "snapshot", "backup"):
        listed = cloud.volume.list(f"/{kind}s/detail", f"{kind}s", all_tenants=1)
        seen[kind] = _by_id(filter(run.ours, listed))
    for id_, volume in seen["volume"].items():
        # without what Cinder mixes in for itself: a flag like "readonly" is none of the owner's words
        volume["owner's metadata"] = cloud.volume.get(f"/volumes/{id_}/metadata")


def _networks(cloud: Account, run: Cleaner, seen: Photograph) -> None:
    for kind in ("network", "subnet", "port", "security_group", "router"):
        collection = f"{kind}s"
        listed = cloud.network.list("/" + collection.replace("_", "-"), collection)
        # the agents' own ports come and go
        things = (
            t for t in listed if not str(t.get("device_owner")).startswith(("network:dhcp", "network:distributed"))
        )
        seen[kind] = _by_id(filter(run.ours, things))
    for group in seen["security_group"].values():
        rules = {rule["id"]: rule for rule in group["security_group_rules"]}
        group["security_group_rules"] = dict(sorted(rules.items()))


def everything(cloud: Account, among: Callable[[Json], bool] = lambda thing: True) -> Photograph:
    """Whatever a tool could leave behind, in all projects, and the operator's own keys and roles."""
    seen: Photograph = {}
    hidden = cloud.image.list("/images", "images", visibility="all", os_hidden="true")
    seen["image"] = _by_id(filter(among, [*cloud.image.list("/images", "images", visibility="all"), *hidden]))
    for kind in ("volume", "snapshot", "backup"):
        seen[kind] = _by_id(filter(among, cloud.volume.list(f"/{kind}s/detail", f"{kind}s", all_tenants=1)))
    seen["server"] = _by_id(filter(among, cloud.compute.list("/servers/detail", "servers", all_tenants=1)))
    pairs = cloud.compute.list("/os-keypairs", "keypairs")
    seen["keypair"] = {pair["keypair"]["name"]: _plain(pair["keypair"]) for pair in pairs}
    query = {"user.id": cloud.user_id}
    roles = cloud.identity.list("/role_assignments", "role_assignments", **query)
    seen["assignment"] = {str(_plain(role)): {"name": "the operator's own"} for role in roles}
    return seen
