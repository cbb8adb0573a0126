"""``/servers``: lists, one, changes; and the actions, which are in modules of their own."""

from __future__ import annotations

from typing import Any

from pumphouse.embedded.compute import schemas, wanted
from pumphouse.embedded.compute.filters import Filters
from pumphouse.embedded.compute.schemas import Schema
from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.compute.tasks import Tasks
from pumphouse.embedded.service import RefusedError, body, route

#: Action -> the method that does it; each is given the server and what is in the action's envelope.
ACTIONS = {
    "os-start": "start_server",
    "os-stop": "stop_server",
    "reboot": "reboot_server",
    "pause": "pause_server",
    "unpause": "unpause_server",
    "suspend": "suspend_server",
    "resume": "resume_server",
    "lock": "lock_server",
    "unlock": "unlock_server",
    "os-resetState": "reset_state",
    "os-getConsoleOutput": "console_output",
    "rescue": "rescue_server",
    "unrescue": "unrescue_server",
    "createImage": "create_image",
    "shelve": "shelve_server",
    "shelveOffload": "offload_server",
    "unshelve": "unshelve_server",
    "resize": "resize_server",
    "confirmResize": "confirm_resize",
    "revertResize": "revert_resize",
    "rebuild": "rebuild_server",
    "migrate": "migrate_server",
    "os-migrateLive": "migrate_live",
    "evacuate": "evacuate_server",
    "addSecurityGroup": "add_security_group",
    "removeSecurityGroup": "remove_security_group",
    "forceDelete": "force_delete",
}


class Servers(Filters, Tasks):
    """Reading and changing servers."""

    @route("GET", "/v2.1/servers")
    def list_servers(self) -> Json:
        """Their names."""
        self.demand("servers:index", self.token.project_id)
        return self._answer_list(self.brief)

    @route("GET", "/v2.1/servers/detail")
    def list_servers_in_detail(self) -> Json:
        """All about them."""
        self.demand("servers:detail", self.token.project_id)
        return self._answer_list(lambda server: self.whole(server, single=False))

    def _answer_list(self, view: Any) -> Json:
        page, links = self.listed()
        found = {"servers": [view(server) for server in page]}
        return {**found, "servers_links": links} if links else found

    @route("GET", "/v2.1/servers/<id_>")
    def show_server(self, id_: str) -> Json:
        """One."""
        return {"server": self.whole(self.server_for(id_, "servers:show"))}

    @route("PUT", "/v2.1/servers/<id_>")
    def update_server(self, id_: str) -> Json:
        """What can be changed while it runs."""
        server = self.server_for(id_, "servers:update")
        given = schemas.checked("server", self._schema_of_update())
        fields = {"OS-DCF:diskConfig": "disk_config"}
        self.touch(server, **{fields.get(name, name): value for name, value in given.items()})
        return {"server": self.changed(server)}

    def _schema_of_update(self) -> Schema:
        address: Schema = {"type": "string"}
        properties: dict[str, Schema] = {
            "name": schemas.NAME,
            "OS-DCF:diskConfig": schemas.DISK_CONFIG,
            "accessIPv4": address,
            "accessIPv6": address,
        }
        if self.since(19):
            properties["description"] = schemas.DESCRIPTION
        if self.since(90):
            properties |= wanted.names(self.microversion)
        return schemas.thing((), **properties)

    @route("POST", "/v2.1/servers/<id_>/action")
    def act(self, id_: str) -> Any:
        """The one that the body names."""
        given = body()
        name = next((name for name in given if name in ACTIONS), None)
        if name is None or len(given) != 1:
            raise RefusedError(400, f"There is no such action: {next(iter(given), None)}")
        return getattr(self, ACTIONS[name])(self.visible(id_), given[name])

    def force_delete(self, server: Json, given: Any) -> tuple[None, int]:
        """At once, whatever its state."""
        self.demand("os-deferred-delete:force", server["project_id"])
        self.ready(server, "forceDelete", tasks=None, launched=False)
        place = self.note(server, "delete", done=False)
        self.begin(server, "deleting", place, "compute_terminate_instance", "vanish", delay="delete")
        return None, 202

    # --- groups of rules ---

    def add_security_group(self, server: Json, given: Any) -> tuple[None, int]:
        """To all its ports."""
        self.demand("os-security-groups:add", server["project_id"])
        self._change_groups(server, given, add=True)
        return None, 202

    def remove_security_group(self, server: Json, given: Any) -> tuple[None, int]:
        """From all its ports."""
        self.demand("os-security-groups:remove", server["project_id"])
        self._change_groups(server, given, add=False)
        return None, 202

    def _change_groups(self, server: Json, given: Any, add: bool) -> None:
        schemas.check(given, schemas.thing(("name",), name=schemas.NAME))
        name, project = given["name"], server["project_id"]
        group = self.cloud.network.find_group(project, name)
        if group is None:
            raise RefusedError(404, f"Security group {name} is not found for project {project}")
        changed = False
        for port in self.ports_in_order(server):
            has = group["id"] in port["security_groups"]
            if has == add:
                continue
            groups = [*port["security_groups"], group["id"]] if add else [
                id_ for id_ in port["security_groups"] if id_ != group["id"]
            ]  # fmt: skip
            ports = self.cloud.network.ports
            ports.table.change(port, security_groups=sorted(groups))
            ports.touch(port)
            changed = True
        if not add and not changed:
            message = f"Security group {name} not associated with the instance {server['id']}"
            raise RefusedError(404, message)
