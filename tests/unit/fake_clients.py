"""The managers of the services' clients over the tables of a cloud in memory."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pumphouse.clouds.passwords import PasswordRow
from pumphouse.resources.registry import TYPES

if TYPE_CHECKING:
    from tests.unit.fakes import FakeCloud


class HttpError(Exception):
    """An answer with an HTTP status, as every client library raises one."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message or f"HTTP {code}")
        self.code = code


class Thing(dict):
    """What a client gives out: a dict, attributes, ``to_dict()``; and what its owner added by keyword."""

    def __init__(self, wire: dict[str, Any], **methods: Any) -> None:
        super().__init__(copy.deepcopy(wire))
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def to_dict(self) -> dict[str, Any]:
        return copy.deepcopy(dict(self))


class Table:
    """The manager of one type."""

    def __init__(self, cloud: FakeCloud, type_: str) -> None:
        self.cloud, self.type = cloud, type_

    @property
    def rows(self) -> dict[str, Any]:
        return self.cloud.tables[self.type]

    def wire(self, id_: str) -> dict[str, Any]:
        try:
            return self.rows[id_]
        except KeyError:
            raise HttpError(404, f"no {self.type} {id_}") from None

    def get(self, id_: str) -> Thing:
        self.cloud.ask("get", self.type)
        return Thing(self.wire(id_))

    def _list(self, **scope: Any) -> list[Thing]:
        self.cloud.ask("list", self.type)
        return [
            Thing(wire)
            for wire in list(self.rows.values())
            if all(wire.get(name) == value for name, value in scope.items() if value is not None)
        ]

    def list(self, **_: Any) -> list[Thing]:
        return self._list()

    def update(self, id_: str, **changes: Any) -> Thing:
        self.cloud.ask("update", self.type)
        self.wire(id_).update(changes)
        return Thing(self.wire(id_))

    def delete(self, id_: str) -> None:
        self.cloud.ask("delete", self.type)
        self.wire(id_)
        del self.rows[id_]


class Keystone(Table):
    def list(self, domain: str | None = None, parent: str | None = None) -> list[Thing]:
        return self._list(domain_id=domain, parent_id=parent)

    def create(self, **body: Any) -> Thing:
        self.cloud.ask("create", self.type)
        password = body.pop("password", None)
        for short, field in (
            ("domain", "domain_id"),
            ("parent", "parent_id"),
            ("default_project", "default_project_id"),
        ):
            if short in body:
                body[field] = body.pop(short)
        wire = self.cloud.put(self.type, **body)
        if self.type == "project" and not wire["parent_id"]:
            wire["parent_id"] = wire["domain_id"]
        if password and self.cloud.passwords:
            self.cloud.passwords.rows[wire["id"]] = PasswordRow(1, "$2b$of-the-random-password")
        return Thing(wire)


class Roles(Keystone):
    def list(self, domain_id: str | None = None) -> list[Thing]:
        return [role for role in self._list() if role.get("domain_id") == domain_id]

    def _grant(
        self,
        role: str,
        user: str | None = None,
        group: str | None = None,
        project: str | None = None,
        domain: str | None = None,
        os_inherit_extension_inherited: bool = False,
    ) -> tuple[str, dict[str, Any]]:
        scope: dict[str, Any] = {"project": {"id": project}} if project else {"domain": {"id": domain}}
        if os_inherit_extension_inherited:
            scope["OS-INHERIT:inherited_to"] = "projects"
        who = {"user": {"id": user}} if user else {"group": {"id": group}}
        wire = {**who, "role": {"id": role}, "scope": scope}
        return TYPES["assignment"].id(wire), wire

    def grant(self, role: str, **where: Any) -> None:
        self.cloud.ask("create", "assignment")
        key, wire = self._grant(role, **where)
        self.cloud.tables["assignment"][key] = wire

    def check(self, role: str, **where: Any) -> bool:
        self.cloud.ask("get", "assignment")
        if self._grant(role, **where)[0] not in self.cloud.tables["assignment"]:
            raise HttpError(404)
        return True

    def revoke(self, role: str, **where: Any) -> None:
        self.cloud.ask("delete", "assignment")
        if self.cloud.tables["assignment"].pop(self._grant(role, **where)[0], None) is None:
            raise HttpError(404)


class Users(Keystone):
    """Memberships are kept under "group/user"."""

    def list(self, domain: str | None = None, group: str | None = None) -> list[Thing]:
        users = self._list(domain_id=domain)
        return [user for user in users if not group or f"{group}/{user['id']}" in self.cloud.tables["membership"]]

    def check_in_group(self, user: str, group: str) -> bool:
        self.cloud.ask("get", "membership")
        if f"{group}/{user}" not in self.cloud.tables["membership"]:
            raise HttpError(404)
        return True

    def add_to_group(self, user: str, group: str) -> None:
        self.cloud.ask("create", "membership")
        self.cloud.tables["membership"][f"{group}/{user}"] = {"group_id": group, "user_id": user}

    def remove_from_group(self, user: str, group: str) -> None:
        self.cloud.ask("delete", "membership")
        if self.cloud.tables["membership"].pop(f"{group}/{user}", None) is None:
            raise HttpError(404)


class Groups(Keystone):
    def list(self, domain: str | None = None, user: str | None = None) -> list[Thing]:
        groups = self._list(domain_id=domain)
        return [group for group in groups if not user or f"{group['id']}/{user}" in self.cloud.tables["membership"]]


class ApplicationCredentials(Table):
    def list(self, user: str) -> list[Thing]:
        return self._list(user_id=user)


class InferenceRules(Table):
    """Kept under "prior/implied"."""

    def list_inference_roles(self) -> list[Thing]:
        return [
            Thing({"prior_role": {"id": rule["prior_role_id"]}, "implies": [{"id": rule["implied_role_id"]}]})
            for rule in self._list()
        ]

    def create(self, prior: str, implied: str) -> None:
        self.cloud.ask("create", self.type)
        self.rows[f"{prior}/{implied}"] = {"prior_role_id": prior, "implied_role_id": implied}

    def delete(self, prior: str, implied: str) -> None:
        super().delete(f"{prior}/{implied}")


class Assignments(Table):
    def list(self, project: str | None = None, domain: str | None = None, **_: Any) -> list[Thing]:
        where = {"project": {"id": project}} if project else {"domain": {"id": domain}}
        return [one for one in self._list() if where.items() <= one["scope"].items()]


#: Lists of Keystone that come in pages, and how what is in them is kept here.
PAGED = {"domains": "domain", "projects": "project", "users": "user", "groups": "group"}


class Credentials(Table):
    """/v3/credentials, and lists in pages, as an adapter of keystoneauth sees them."""

    def _answer(self, **body: Any) -> Any:
        return SimpleNamespace(json=lambda: body)

    def get(self, path: str, log: bool = True, params: dict[str, Any] | None = None) -> Any:
        if (collection := path.strip("/")) in PAGED:
            return self._page(collection, **(params or {}))
        assert not log, "secrets must not be logged"
        id_ = path.removeprefix("/credentials").strip("/")
        return self._answer(credential=super().get(id_)) if id_ else self._answer(credentials=self._list())

    def _page(self, collection: str, limit: int, domain_id: str | None = None, marker: str | None = None) -> Any:
        """As 2026.1 does: so many of them, and where the next ones are."""
        wires = [dict(thing) for thing in Table(self.cloud, PAGED[collection])._list(domain_id=domain_id)]
        ids = [wire["id"] for wire in wires]
        rest = wires[ids.index(marker) + 1 :] if marker else wires
        page, more = rest[: min(int(limit), self.cloud.page)], None
        if len(rest) > len(page):
            more = f"https://elsewhere/v3/{collection}?limit={limit}&marker={page[-1]['id']}"
            more += f"&domain_id={domain_id}" if domain_id else ""
        return self._answer(**{collection: page}, links={"next": more})

    def post(self, path: str, json: dict[str, Any], log: bool = True) -> Any:
        assert not log, "secrets must not be logged"
        self.cloud.ask("create", self.type)
        return self._answer(credential=self.cloud.put(self.type, **{"project_id": None, **json["credential"]}))

    def delete(self, path: str) -> None:
        super().delete(path.removeprefix("/credentials/"))


class Images(Table):
    def list(self, filters: dict[str, Any], **_: Any) -> list[Thing]:
        return [
            image
            for image in self._list(owner=filters.get("owner"), name=filters.get("name"))
            if bool(image.get("os_hidden")) == filters.get("os_hidden", False)
            # As Glance does: community images are in no list unless asked for, but to their owners.
            and (image.get("visibility") != "community" or filters.get("visibility") == "all")
        ]

    def create(self, **body: Any) -> Thing:
        self.cloud.ask("create", self.type)
        if body.get("id") in self.rows:
            raise HttpError(409, "that id is taken")
        return Thing(self.cloud.put("image", **{"status": "queued", "size": None, **body}, id_=body.get("id")))


class ImageTags(Table):
    def update(self, image: str, tag: str) -> None:
        self.cloud.ask("update", self.type)
        self.wire(image).setdefault("tags", []).append(tag)


class Members(Table):
    def list(self, image: str) -> list[Thing]:
        return self._list(image_id=image)

    def create(self, image: str, project: str) -> Thing:
        self.cloud.ask("create", self.type)
        return Thing(
            self.cloud.put(self.type, f"{image}/{project}", image_id=image, member_id=project, status="pending")
        )

    def update(self, image: str, project: str, status: str) -> Thing:
        return super().update(f"{image}/{project}", status=status)

    def delete(self, image: str, project: str) -> None:
        super().delete(f"{image}/{project}")


class Flavors(Table):
    def _thing(self, wire: dict[str, Any]) -> Thing:
        return Thing(wire, set_keys=lambda keys: self._set_keys(wire, keys))

    def _set_keys(self, wire: dict[str, Any], keys: dict[str, str]) -> None:
        self.cloud.ask("update", self.type)
        wire["extra_specs"].update(keys)

    def create(self, name: str, flavorid: str, **body: Any) -> Thing:
        self.cloud.ask("create", self.type)
        if flavorid in self.rows or any(row["name"] == name for row in self.rows.values()):
            raise HttpError(409, "flavor exists")
        wire = {"name": name, "OS-FLV-EXT-DATA:ephemeral": body.pop("ephemeral"), "extra_specs": {}}
        wire["os-flavor-access:is_public"] = body.pop("is_public")
        return self._thing(self.cloud.put("flavor", None if flavorid == "auto" else flavorid, **wire, **body))


class FlavorAccess(Table):
    def list(self, flavor: str) -> list[Thing]:
        return self._list(flavor_id=flavor)

    def add_tenant_access(self, flavor: str, project: str) -> None:
        self.cloud.ask("create", self.type)
        self.cloud.put(self.type, f"{flavor}/{project}", flavor_id=flavor, tenant_id=project)

    def remove_tenant_access(self, flavor: str, project: str) -> None:
        self.delete(f"{flavor}/{project}")


class Keypairs(Table):
    """Kept under "user/name", as Pumphouse names them."""

    def list(self, user_id: str | None = None) -> list[Thing]:
        return self._list(user_id=user_id or self.cloud.user_id)

    def get(self, name: str, user_id: str | None = None) -> Thing:
        return super().get(f"{user_id or self.cloud.user_id}/{name}")

    def create(self, name: str, public_key: str, key_type: str = "ssh", user_id: str | None = None) -> Thing:
        self.cloud.ask("create", self.type)
        user = user_id or self.cloud.user_id
        wire = {"name": name, "public_key": public_key, "type": key_type, "fingerprint": f"md5 of {public_key}"}
        return Thing(self.cloud.put(self.type, f"{user}/{name}", user_id=user, **wire))

    def delete(self, name: str, user_id: str | None = None) -> None:
        super().delete(f"{user_id or self.cloud.user_id}/{name}")


class Actions(Table):
    def list(self, server: str) -> list[Thing]:
        return self._list(server=server)


class ServerGroups(Table):
    def list(self, all_projects: bool, limit: int, offset: int) -> list[Thing]:
        return self._list()[offset:][:limit]

    def create(self, name: str, policy: str, rules: dict[str, int] | None) -> Thing:
        self.cloud.ask("create", self.type)
        body = {"name": name, "policy": policy, "rules": rules or {}, "members": []}
        return Thing(self.cloud.put(self.type, project_id=self.cloud.project_id, **body))


class Quotas(Table):
    """Limits by project; ``cloud.limits`` has the defaults."""

    def _limits(self, project: str, own: bool) -> Thing:
        self.cloud.ask("get", self.type)
        return Thing({**self.cloud.limits[self.type], **(self.rows.get(project, {}) if own else {}), "id": project})

    def get(self, project: str) -> Thing:
        return self._limits(project, own=True)

    def defaults(self, project: str) -> Thing:
        return self._limits(project, own=False)

    def update(self, project: str, force: bool = False, **changes: Any) -> None:
        self.cloud.ask("update", self.type)
        self.rows.setdefault(project, {}).update(changes)


class Servers(Table):
    def list(self, search_opts: dict[str, Any], **_: Any) -> list[Thing]:
        found = self._list(tenant_id=search_opts.get("project_id"))
        return [server for server in found if search_opts.get("tags") in (None, *(server.get("tags") or ()))]

    def delete_tag(self, id_: str, tag: str) -> None:
        self.cloud.ask("update", self.type)
        if tag not in self.wire(id_)["tags"]:
            raise HttpError(404)
        self.wire(id_)["tags"].remove(tag)

    def delete_meta(self, id_: str, keys: list[str]) -> None:
        self.cloud.ask("update", self.type)
        for key in keys:
            del self.wire(id_)["metadata"][key]

    def interface_list(self, id_: str) -> list[Thing]:
        self.cloud.ask("list", "interface")
        ports = self.cloud.tables["port"].values()
        return [Thing({"port_id": port["id"], "tag": port.get("tag")}) for port in ports if port["device_id"] == id_]

    def get_server_volumes(self, id_: str) -> list[Thing]:
        self.cloud.ask("list", "attachment")
        attached = self.wire(id_)["os-extended-volumes:volumes_attached"]
        return [Thing({"volumeId": disk["id"], "tag": disk.get("tag")}) for disk in attached]

    def _go(self, verb: str, id_: str, before: str, after: str) -> None:
        self.cloud.ask(verb, self.type)
        if self.wire(id_)["status"] != before:
            raise HttpError(409, f"cannot {verb} while {self.wire(id_)['status']}")
        self.wire(id_)["status"] = after

    def stop(self, id_: str) -> None:
        self._go("stop", id_, "ACTIVE", "SHUTOFF")

    def start(self, id_: str) -> None:
        self._go("start", id_, "SHUTOFF", "ACTIVE")

    def pause(self, id_: str) -> None:
        self._go("pause", id_, "ACTIVE", "PAUSED")

    def unpause(self, id_: str) -> None:
        self._go("unpause", id_, "PAUSED", "ACTIVE")

    def suspend(self, id_: str) -> None:
        self._go("suspend", id_, "ACTIVE", "SUSPENDED")

    def resume(self, id_: str) -> None:
        self._go("resume", id_, "SUSPENDED", "ACTIVE")

    def shelve(self, id_: str) -> None:
        self._go("shelve", id_, "ACTIVE", "SHELVED_OFFLOADED")

    def lock(self, id_: str, reason: str | None = None) -> None:
        self.cloud.ask("lock", self.type)
        self.wire(id_).update(locked=True, locked_reason=reason, locked_from=self.cloud.project_id)

    def create_image(self, id_: str, name: str) -> str:
        self.cloud.ask("snapshot", self.type)
        assert self.wire(id_)["status"] == "SHUTOFF", "the disk of a running server does not stand still"
        image = self.cloud.put(
            "image",
            name=name,
            status="active",
            size=7,
            disk_format="qcow2",
            container_format="bare",
            owner=self.cloud.project_id,
            instance_uuid=id_,
            os_hidden=False,
        )
        return str(image["id"])

    def create(self, name: str, image: str | None, flavor: str, key_name: str | None, **options: Any) -> Thing:
        self.cloud.ask("create", self.type)
        if key_name and f"{self.cloud.user_id}/{key_name}" not in self.cloud.tables["keypair"]:
            raise HttpError(400, "Invalid key_name provided.")
        self.cloud.booted.append({"name": name, "image": image, "flavor": flavor, "key_name": key_name, **options})
        disks = options.get("block_device_mapping_v2") or []
        group = (options.get("scheduler_hints") or {}).get("group")
        wire = self.cloud.put(
            self.type, name=name, status=self.cloud.boots_to, tenant_id=self.cloud.project_id, key_name=key_name,
            flavor={"id": flavor, "disk": self.cloud.tables["flavor"][flavor]["disk"]},
            image={"id": image} if image else "", metadata=options.get("meta"), tags=options.get("tags") or [],
            fault={"message": "No valid host was found."} if self.cloud.boots_to == "ERROR" else None,
        )  # fmt: skip
        wire["os-extended-volumes:volumes_attached"] = [
            {"id": disk["uuid"], "delete_on_termination": disk["delete_on_termination"]} for disk in disks
        ]
        wire["OS-EXT-SRV-ATTR:root_device_name"] = "/dev/vda" if image else disks[0]["device_name"]
        wire["OS-EXT-SRV-ATTR:hostname"] = options.get("hostname")
        if group:
            self.cloud.tables["server_group"][group]["members"].append(wire["id"])
        for disk in disks:
            attachment = {"server_id": wire["id"], "device": disk["device_name"]}
            self.cloud.tables["volume"][disk["uuid"]].update(status="in-use", attachments=[attachment])
        return Thing(wire)

    def delete(self, id_: str) -> None:
        super().delete(id_)
        for volume in self.cloud.tables["volume"].values():
            if any(attachment["server_id"] == id_ for attachment in volume["attachments"]):
                volume.update(status="available", attachments=[])


class VolumeTypes(Table):
    def _thing(self, wire: dict[str, Any]) -> Thing:
        return Thing(wire, set_keys=lambda keys: self._set_keys(wire, keys))

    def _set_keys(self, wire: dict[str, Any], keys: dict[str, str]) -> None:
        self.cloud.ask("update", self.type)
        wire["extra_specs"].update(keys)

    def create(self, name: str, description: str | None, is_public: bool) -> Thing:
        self.cloud.ask("create", self.type)
        wire = {"name": name, "description": description, "extra_specs": {}, "qos_specs_id": None}
        return self._thing(self.cloud.put(self.type, **wire, **{"os-volume-type-access:is_public": is_public}))


class VolumeTypeAccess(Table):
    def list(self, type_: str) -> list[Thing]:
        return self._list(volume_type_id=type_)

    def add_project_access(self, type_: str, project: str) -> None:
        self.cloud.ask("create", self.type)
        self.cloud.put(self.type, f"{type_}/{project}", volume_type_id=type_, project_id=project)

    def remove_project_access(self, type_: str, project: str) -> None:
        self.delete(f"{type_}/{project}")


class Encryptions(Table):
    """Of a type that has none Cinder answers with an empty object."""

    def get(self, type_: str) -> Thing:
        self.cloud.ask("get", self.type)
        return Thing(self.rows.get(type_, {}))

    def create(self, type_: str, specs: dict[str, Any]) -> Thing:
        self.cloud.ask("create", self.type)
        self.rows[type_] = {**specs, "volume_type_id": type_}
        return Thing(self.rows[type_])


class QosSpecs(Table):
    def create(self, name: str, specs: dict[str, str]) -> Thing:
        self.cloud.ask("create", self.type)
        limits = {key: value for key, value in specs.items() if key != "consumer"}
        return Thing(self.cloud.put(self.type, name=name, consumer=specs["consumer"], specs=limits))

    def associate(self, id_: str, type_: str) -> None:
        self.cloud.ask("update", self.type)
        self.cloud.tables["volume_type"][type_]["qos_specs_id"] = id_

    def disassociate(self, id_: str, type_: str) -> None:
        self.cloud.ask("update", self.type)
        self.cloud.tables["volume_type"][type_]["qos_specs_id"] = None


class Snapshots(Table):
    def list(self, search_opts: dict[str, Any], **_: Any) -> list[Thing]:
        return self._list(volume_id=search_opts.get("volume_id"), name=search_opts.get("name"))

    def create(self, volume_id: str, force: bool, name: str) -> Thing:
        self.cloud.ask("create", self.type)
        return Thing(self.cloud.put(self.type, name=name, volume_id=volume_id, status="available"))


class Volumes(Table):
    def list(self, search_opts: dict[str, Any], **_: Any) -> list[Thing]:
        owner = {"os-vol-tenant-attr:tenant_id": search_opts.get("project_id")}
        marks = search_opts.get("metadata", {}).items()
        found = self._list(name=search_opts.get("name"), **owner)
        return [volume for volume in found if marks <= volume.get("metadata", {}).items()]

    def create(self, size: int, **body: Any) -> Thing:
        self.cloud.ask("create", self.type)
        owner = {"os-vol-tenant-attr:tenant_id": self.cloud.project_id}
        wire = {"status": "available", "bootable": "false", "attachments": [], "volume_image_metadata": {}, **owner}
        types = self.cloud.tables["volume_type"].values()
        wire["volume_type_id"] = next((one["id"] for one in types if one["name"] == body.get("volume_type")), None)
        return Thing(self.cloud.put(self.type, size=size, **{**wire, **body}))

    def delete(self, id_: str) -> None:
        if self.wire(id_)["status"] == "in-use":
            raise HttpError(400, "the volume is in use")
        super().delete(id_)

    def upload_to_image(self, id_: str, force: bool, image_name: str, **body: Any) -> tuple[None, dict[str, Any]]:
        self.cloud.ask("upload", self.type)
        if self.wire(id_)["status"] != "available" and not force:
            raise HttpError(400, "the volume is in use")
        data = {"data": self.wire(id_)["data"]} if "data" in self.wire(id_) else {}
        image = self.cloud.put(
            "image", name=image_name, status="active", size=5, owner=self.cloud.project_id, **data, **body
        )
        return None, {"os-volume_upload_image": {"image_id": image["id"]}}

    def set_metadata(self, id_: str, metadata: dict[str, str]) -> None:
        self.cloud.ask("update", self.type)
        self.wire(id_).setdefault("metadata", {}).update(metadata)

    def delete_metadata(self, id_: str, keys: list[str]) -> None:
        self.cloud.ask("update", self.type)
        for key in keys:
            del self.wire(id_)["metadata"][key]

    def set_image_metadata(self, id_: str, metadata: dict[str, str]) -> None:
        self.cloud.ask("update", self.type)
        self.wire(id_)["volume_image_metadata"].update(metadata)

    def delete_image_metadata(self, id_: str, keys: list[str]) -> None:
        self.cloud.ask("update", self.type)
        for key in keys:
            del self.wire(id_)["volume_image_metadata"][key]

    def update_readonly_flag(self, id_: str, flag: bool) -> None:
        self.cloud.ask("update", self.type)
        self.wire(id_)["metadata"]["readonly"] = str(flag)

    def set_bootable(self, id_: str, flag: bool) -> None:
        self.cloud.ask("update", self.type)
        self.wire(id_)["bootable"] = str(flag).lower()


#: Collections that are kept under another name than their own.
OTHERWISE = {
    "qos/policies": "qos_policy",
    "rbac-policies": "rbac_policy",
    "subnetpools": "subnet_pool",
    "floatingips": "floating_ip",
}


class Network:
    """``NetworkAPI`` over the same tables: "security-groups" is kept as "security_group"."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    def _table(self, collection: str) -> Table:
        name = collection.replace("-", "_").removesuffix("s")
        name = OTHERWISE.get(collection, name)
        return Table(self.cloud, "network_quota" if name == "quota" else name)

    def list(self, collection: str, **filters: Any) -> list[dict[str, Any]]:
        wanted = {name: value if isinstance(value, list) else [value] for name, value in filters.items()}
        found = self._table(collection)._list()
        return [one.to_dict() for one in found if all(one.get(name) in values for name, values in wanted.items())]

    def get(self, collection: str, id_: str) -> dict[str, Any] | None:
        if collection == "quotas":
            project, _, default = id_.partition("/")
            quotas = Quotas(self.cloud, "network_quota")
            return (quotas.defaults(project) if default else quotas.get(project)).to_dict()
        try:
            return self._table(collection).get(id_).to_dict()
        except HttpError as error:
            if error.code == 404:
                return None
            raise

    def create(self, collection: str, body: dict[str, Any]) -> dict[str, Any]:
        if collection.startswith("qos/policies/"):
            _, _, policy, kind = collection.split("/")
            self.cloud.ask("create", "qos_rule")
            rule = {"id": f"rule-{len(self.cloud.requests)}", "type": kind.removesuffix("_rules"), **body}
            self.cloud.tables["qos_policy"][policy].setdefault("rules", []).append(rule)
            return rule
        table = self._table(collection)
        self.cloud.ask("create", table.type)
        if collection == "floatingips" and body.get("port_id"):
            gate = next(
                (port for port in self.cloud.tables["port"].values() if "router" in port.get("device_owner", "")), {}
            )
            body = {**body, "router_id": gate.get("device_id")}
        return copy.deepcopy(self.cloud.put(table.type, **{"tags": [], **body}))

    def update(self, collection: str, id_: str, body: dict[str, Any]) -> dict[str, Any]:
        if collection == "quotas":
            Quotas(self.cloud, "network_quota").update(id_, **body)
            return body
        return self._table(collection).update(id_, **body).to_dict()

    def delete(self, collection: str, id_: str) -> None:
        try:
            self._table(collection).delete(id_)
        except HttpError as error:
            if error.code != 404:
                raise

    def action(self, collection: str, id_: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        self.cloud.ask(name, collection.removesuffix("s"))
        if name == "add_router_interface":
            port = self.cloud.tables["port"].get(body.get("port_id"))
            if port is None:
                subnet = self.cloud.tables["subnet"][body["subnet_id"]]
                ip = {"subnet_id": subnet["id"], "ip_address": subnet["gateway_ip"]}
                owner = {"network_id": subnet["network_id"], "project_id": subnet["project_id"]}
                port = self.cloud.put("port", mac_address="fa:16:3e:ff:00:00", fixed_ips=[ip], **owner)
            port.update(device_id=id_, device_owner="network:router_interface")
        elif name == "remove_router_interface":
            gone = [
                port["id"]
                for port in self.cloud.tables["port"].values()
                if port.get("device_id") == id_ and port["fixed_ips"][0]["subnet_id"] == body["subnet_id"]
            ]
            if not gone:
                raise HttpError(404)
            del self.cloud.tables["port"][gone[0]]
        return {}

    def set_tags(self, collection: str, id_: str, tags: list[str]) -> None:
        self.update(collection, id_, {"tags": tags})

    def extensions(self) -> set[str]:
        return self.cloud.extensions
