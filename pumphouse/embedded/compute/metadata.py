"""Small things of servers that have paths of their own: metadata, tags, addresses."""

from __future__ import annotations

from typing import Any

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.quotas import Quotas
from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.compute.tasks import Tasks
from pumphouse.embedded.service import RefusedError, route

#: In which metadata and tags can be changed.
CHANGEABLE = ("active", "paused", "suspended", "stopped")
MOST_TAGS = 50


class Metadata(Tasks, Quotas):
    """``/servers/{id}/metadata``, ``/tags``, ``/ips``."""

    # --- metadata ---

    @route("GET", "/v2.1/servers/<id_>/metadata")
    def list_metadata(self, id_: str) -> Json:
        """All."""
        return {"metadata": self.server_for(id_, "server-metadata:index")["metadata"]}

    @route("GET", "/v2.1/servers/<id_>/metadata/<key>")
    def show_metadata(self, id_: str, key: str) -> Json:
        """One."""
        metadata = self.server_for(id_, "server-metadata:show")["metadata"]
        if key not in metadata:
            raise RefusedError(404, "Metadata item was not found")
        return {"meta": {key: metadata[key]}}

    @route("POST", "/v2.1/servers/<id_>/metadata")
    def add_metadata(self, id_: str) -> Json:
        """Some more."""
        server = self.server_for(id_, "server-metadata:create")
        given = schemas.checked("metadata", schemas.METADATA)
        return {"metadata": self._set_metadata(server, {**server["metadata"], **given})}

    @route("PUT", "/v2.1/servers/<id_>/metadata")
    def replace_metadata(self, id_: str) -> Json:
        """All others are gone."""
        server = self.server_for(id_, "server-metadata:update_all")
        return {"metadata": self._set_metadata(server, schemas.checked("metadata", schemas.METADATA))}

    @route("PUT", "/v2.1/servers/<id_>/metadata/<key>")
    def update_metadata(self, id_: str, key: str) -> Json:
        """One."""
        server = self.server_for(id_, "server-metadata:update")
        given = schemas.checked("meta", {**schemas.METADATA, "minProperties": 1, "maxProperties": 1})
        if key not in given:
            raise RefusedError(400, "Request body and URI mismatch")
        self._set_metadata(server, {**server["metadata"], **given})
        return {"meta": given}

    @route("DELETE", "/v2.1/servers/<id_>/metadata/<key>")
    def delete_metadata(self, id_: str, key: str) -> None:
        """One."""
        server = self.server_for(id_, "server-metadata:delete")
        if key not in server["metadata"]:
            raise RefusedError(404, "Metadata item was not found")
        self.ready(server, "delete metadata", CHANGEABLE, tasks=None)
        del server["metadata"][key]
        self.touch(server)

    def _set_metadata(self, server: Json, wanted: dict[str, str]) -> dict[str, str]:
        self.ready(server, "update metadata", CHANGEABLE, tasks=None)
        limit = self.quotas_of(server["project_id"])["metadata_items"]
        if 0 <= limit < len(wanted):
            raise RefusedError(403, f"Maximum number of metadata items exceeds {limit}")
        self.touch(server, metadata=wanted)
        return wanted

    # --- tags ---

    @route("GET", "/v2.1/servers/<id_>/tags")
    def list_tags(self, id_: str) -> Json:
        """All."""
        self.between(26, 999)
        return {"tags": self.server_for(id_, "os-server-tags:index")["tags"]}

    @route("PUT", "/v2.1/servers/<id_>/tags")
    def replace_tags(self, id_: str) -> Json:
        """All others are gone."""
        self.between(26, 999)
        server = self.server_for(id_, "os-server-tags:update_all")
        given = schemas.checked("tags", {"type": "array", "items": schemas.TAG, "maxItems": MOST_TAGS})
        self._set_tags(server, given, "update tags")
        return {"tags": server["tags"]}

    @route("DELETE", "/v2.1/servers/<id_>/tags")
    def delete_tags(self, id_: str) -> None:
        """All."""
        self.between(26, 999)
        self._set_tags(self.server_for(id_, "os-server-tags:delete_all"), [], "delete tags")

    @route("GET", "/v2.1/servers/<id_>/tags/<tag>")
    def show_tag(self, id_: str, tag: str) -> None:
        """Whether it is there."""
        self.between(26, 999)
        self._check_tag(self.server_for(id_, "os-server-tags:show"), tag)

    @route("PUT", "/v2.1/servers/<id_>/tags/<tag>")
    def add_tag(self, id_: str, tag: str) -> Any:
        """One more."""
        self.between(26, 999)
        server = self.server_for(id_, "os-server-tags:update")
        if "," in tag or len(tag) > 60:
            message = f"Tag '{tag}' is invalid. It must be a non empty string without characters '/' and ','."
            raise RefusedError(400, message)
        if tag in server["tags"]:
            return None
        if len(server["tags"]) >= MOST_TAGS:
            raise RefusedError(400, f"The number of tags exceeded the per-server limit {MOST_TAGS}")
        self._set_tags(server, [*server["tags"], tag], "update tag")
        return None, 201, {"Location": f"{self.links('servers', id_)[0]['href']}/tags/{tag}"}

    @route("DELETE", "/v2.1/servers/<id_>/tags/<tag>")
    def delete_tag(self, id_: str, tag: str) -> None:
        """One."""
        self.between(26, 999)
        server = self.server_for(id_, "os-server-tags:delete")
        self._check_tag(server, tag)
        self._set_tags(server, [one for one in server["tags"] if one != tag], "delete tag")

    def _check_tag(self, server: Json, tag: str) -> None:
        if tag not in server["tags"]:
            raise RefusedError(404, f"Server {server['id']} has no tag '{tag}'")

    def _set_tags(self, server: Json, tags: list[str], what: str) -> None:
        self.ready(server, what, CHANGEABLE, tasks=None, lock=False)
        server["tags"] = sorted(set(tags))

    # --- addresses ---

    @route("GET", "/v2.1/servers/<id_>/ips")
    def list_addresses(self, id_: str) -> Json:
        """By network."""
        return {"addresses": self.addresses_of(self.server_for(id_, "ips:index"), types=False)}

    @route("GET", "/v2.1/servers/<id_>/ips/<network>")
    def show_addresses(self, id_: str, network: str) -> Json:
        """In one network."""
        found = self.addresses_of(self.server_for(id_, "ips:show"), types=False)
        if network not in found:
            raise RefusedError(404, "Instance is not a member of specified network")
        return {network: found[network]}
