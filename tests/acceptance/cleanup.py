"""``python -m tests.acceptance.cleanup PREFIX [CLOUD...]``: removes all of a run from both clouds.

A thing is of the run when its name holds the prefix, or when it lies in a project or domain whose name does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from urllib.parse import quote

from tests.acceptance.clouds import Account, Json, LateError, RefusedError, ignore, operator, wait


class Cleaner:
    """What of one run is on one cloud, and its removal."""

    def __init__(self, cloud: Account, prefix: str, say: Callable[[str], None] = print) -> None:
        if len(prefix) < 6:
            raise ValueError(f"{prefix!r} is too short to be a run's own prefix")
        self.cloud, self.prefix, self.say = cloud, prefix, say
        identity = cloud.identity
        self.domains = [d for d in identity.list("/domains", "domains") if prefix in d["name"]]
        inside = {d["id"] for d in self.domains}
        projects = identity.list("/projects", "projects")
        self.projects = {p["id"] for p in projects if p["domain_id"] in inside or prefix in p["name"]}
        users = identity.list("/users", "users")
        self.users = [u for u in users if u["domain_id"] in inside or prefix in u["name"]]

    def ours(self, thing: Json) -> bool:
        """By its name, or by the project it lies in."""
        owners = (thing.get(key) for key in ("project_id", "tenant_id", "owner", "os-vol-tenant-attr:tenant_id"))
        return self.prefix in (thing.get("name") or "") or any(owner in self.projects for owner in owners)

    def clean(self) -> None:
        """Remove it all, users of things before the things; complains about what stays."""
        self._servers()
        self._volumes()
        self._images()
        self._networks()
        self._shared()
        self._identity()

    def _identity(self) -> None:
        """Domains take what is in them along, unless it may not be changed."""
        identity = self.cloud.identity
        projects = [p for p in identity.list("/projects", "projects") if p["id"] in self.projects]
        for project in projects:
            if project.get("options", {}).get("immutable"):
                identity.patch(f"/projects/{project['id']}", "project", options={"immutable": False})
        below = [p for p in projects if p["parent_id"] != p["domain_id"]]
        while below:  # the lowest first
            parents = {p["parent_id"] for p in below}
            for project in [p for p in below if p["id"] not in parents]:
                identity.delete(f"/projects/{project['id']}")
                below.remove(project)
        for domain in self.domains:
            identity.patch(f"/domains/{domain['id']}", "domain", enabled=False)
            identity.delete(f"/domains/{domain['id']}")

    def _servers(self) -> None:
        compute = self.cloud.compute

        def listed() -> list[Json]:
            return [s for s in compute.list("/servers/detail", "servers", all_tenants=1) if self.ours(s)]

        for server in listed():
            with ignore(409):
                compute.delete(f"/servers/{server['id']}")
        self._gone("servers", listed)
        for user in self.users:
            for pair in compute.list("/os-keypairs", "keypairs", user_id=user["id"]):
                name = quote(pair["keypair"]["name"], safe="")
                compute.delete(f"/os-keypairs/{name}?user_id={user['id']}")

    def _volumes(self) -> None:
        volume = self.cloud.volume
        for kind in ("snapshots", "volumes"):

            def listed(kind: str = kind) -> list[Json]:
                return [v for v in volume.list(f"/{kind}/detail", kind, all_tenants=1) if self.ours(v)]

            for thing in listed():
                if thing["status"] not in ("available", "error", "deleting"):
                    self._reset(kind, thing)
                with ignore(400, 404, 409):
                    volume.delete(f"/{kind}/{thing['id']}")
            self._gone(kind, listed)
        for kind, path, key in (("type", "/types", "volume_types"), ("qos-specs", "/qos-specs", "qos_specs")):
            query = {"is_public": "None"} if kind == "type" else {}
            for thing in self._named(volume.list(path, key, **query)):
                self._try(f"{kind} {thing['name']}", lambda path=f"{path}/{thing['id']}": volume.delete(path))

    def _reset(self, kind: str, thing: Json) -> None:
        """Left in-use, uploading or the like by a run that broke off."""
        body = {"status": "error"} if kind == "snapshots" else {"status": "error", "attach_status": "detached"}
        self.cloud.volume.post(f"/{kind}/{thing['id']}/action", "os-reset_status", **body)

    def _images(self) -> None:
        image = self.cloud.image
        hidden = image.list("/images", "images", os_hidden="true", visibility="all")
        for thing in [*image.list("/images", "images", visibility="all"), *hidden]:
            if not self.ours(thing):
                continue
            if thing["protected"]:
                patch = [{"op": "replace", "path": "/protected", "value": False}]
                kind = "application/openstack-images-v2.1-json-patch"
                image.call("PATCH", f"/images/{thing['id']}", json=patch, headers={"Content-Type": kind})
            self._try(f"image {thing['name']}", lambda id_=thing["id"]: image.delete(f"/images/{id_}"))

    def _networks(self) -> None:
        network = self.cloud.network
        for trunk in filter(self.ours, network.list("/trunks", "trunks")):
            network.put(f"/trunks/{trunk['id']}", "trunk", admin_state_up=True)
            network.delete(f"/trunks/{trunk['id']}")
        for ip in filter(self.ours, network.list("/floatingips", "floatingips")):
            network.delete(f"/floatingips/{ip['id']}")
        for router in filter(self.ours, network.list("/routers", "routers")):
            network.put(f"/routers/{router['id']}", "router", routes=[])
            for port in network.list("/ports", "ports", device_id=router["id"]):
                with ignore(404, 409):
                    network.put(f"/routers/{router['id']}/remove_router_interface", port_id=port["id"])
            network.delete(f"/routers/{router['id']}")
        for collection in (
            "rbac-policies", "ports", "networks", "security-groups", "address-groups", "subnetpools", "address-scopes",
            "qos/policies",
        ):  # fmt: skip
            key = collection.rpartition("/")[2].replace("-", "_")
            for thing in filter(self.ours, network.list(f"/{collection}", key)):
                if str(thing.get("device_owner")).startswith("network:") or thing.get("target_tenant") == "*":
                    continue  # goes with its network, or with what is shared
                path = f"/{collection}/{thing['id']}"
                self._try(f"{collection} {thing.get('name')}", lambda path=path: network.delete(path))

    def _shared(self) -> None:
        """Flavors and roles belong to no project; server groups to one that cannot be told from outside."""
        for flavor in self._named(self.cloud.compute.list("/flavors", "flavors", is_public="None")):
            self.cloud.compute.delete(f"/flavors/{flavor['id']}")
        roles = self.cloud.identity.list("/roles", "roles")
        for domain in self.domains:
            roles += self.cloud.identity.list("/roles", "roles", domain_id=domain["id"])
        for role in self._named(roles):
            if role.get("options", {}).get("immutable"):
                self.cloud.identity.patch(f"/roles/{role['id']}", "role", options={"immutable": False})
            self.cloud.identity.delete(f"/roles/{role['id']}")
        for group in self._named(self.cloud.compute.list("/os-server-groups", "server_groups", all_projects=1)):
            self.cloud.compute.delete(f"/os-server-groups/{group['id']}")

    def _named(self, things: Iterable[Json]) -> list[Json]:
        return [thing for thing in things if self.prefix in thing["name"]]

    def _gone(self, what: str, listed: Callable[[], list[Json]]) -> None:
        try:
            wait(listed, lambda left: not left, f"end of {what}", 90)
        except LateError as late:
            self.say(f"stays: {late}")

    def _try(self, what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except RefusedError as refused:
            self.say(f"stays: {what}: {refused}")


def main(arguments: list[str]) -> int:
    """Clean the named clouds (``src`` and ``dst`` unless told)."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    prefix, *clouds = arguments
    for cloud in clouds or ["src", "dst"]:
        Cleaner(operator(cloud), prefix).clean()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
