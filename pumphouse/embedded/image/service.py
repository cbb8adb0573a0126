"""The Image API: its versions, images as records, and what the other services do with images."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import urlencode

from flask import request
from werkzeug.exceptions import HTTPException

from pumphouse.embedded.image import listing, patch
from pumphouse.embedded.image.data import IMPORT_METHODS, Data
from pumphouse.embedded.image.records import BASE, STORE, fresh, member, touch, view
from pumphouse.embedded.image.rights import forbidden
from pumphouse.embedded.image.schema import SCHEMAS
from pumphouse.embedded.image.sharing import Sharing, full
from pumphouse.embedded.service import Json, RefusedError, body, route

VERSIONS = ("v2.13", "v2.12", "v2.11", "v2.10", *(f"v2.{minor}" for minor in range(9, -1, -1)))
#: Release's newest version -> all of them, in the order in which they are told.
TOLD = {
    "v2.15": ("v2.15", *VERSIONS),
    "v2.17": ("v2.15", *VERSIONS[:6], "v2.17", *VERSIONS[6:]),
}
#: Attributes that nobody can send.
DISALLOWED = ("direct_url", "self", "file", "schema", "stores")


class Image(Data, Sharing):
    """Glance."""

    @route("GET", "/", open=True)
    @route("GET", "/versions", open=True)
    def versions(self) -> tuple[Json, int]:
        """All of them are at the same address."""
        newest = self.cloud.release.image
        links = [{"rel": "self", "href": f"{self.url}/v2/"}]
        told = TOLD[newest]
        return {
            "versions": [
                {"id": one, "status": "CURRENT" if one == newest else "SUPPORTED", "links": links} for one in told
            ]
        }, 300

    @route("GET", "/v2/schemas/<name>")
    def schema(self, name: str) -> Json:
        """What images and members consist of."""
        if name not in SCHEMAS:
            raise RefusedError(404, "")
        return SCHEMAS[name]

    @route("GET", "/v2/images")
    def list_images(self) -> Json:
        """A page of those that whoever asks is shown."""
        if not (self.token.admin or self.zed or self.token.has("reader")):
            raise RefusedError(403, forbidden("get_images"))
        page, more = listing.chosen(self.state.images.values(), self.token, request.args)
        left = {name: value for name, value in request.args.items() if name != "marker"}
        answer = {
            "images": [view(image) for image in page],
            "first": f"/v2/images?{urlencode(left)}" if left else "/v2/images",
            "schema": "/v2/schemas/images",
        }
        if more:
            answer["next"] = f"/v2/images?{urlencode({**left, 'marker': page[-1]['id']})}"
        return answer

    @route("POST", "/v2/images")
    def create_image(self) -> tuple[Json, int, dict[str, str]]:
        """A record without bytes."""
        fields = body()
        self._may_create(fields)
        made = self._add(fields)
        headers = {
            "Location": f"{self.url}/v2/images/{made['id']}",
            "OpenStack-image-import-methods": ",".join(IMPORT_METHODS),
            "OpenStack-image-store-ids": STORE,
        }
        return view(made), 201, headers

    @route("GET", "/v2/images/<id_>")
    def show(self, id_: str) -> Json:
        """One of them."""
        return view(self.seen(id_))

    @route("PATCH", "/v2/images/<id_>")
    def update(self, id_: str) -> Json:
        """All changes of the patch, or none."""
        if request.mimetype not in patch.DRAFTS:
            raise RefusedError(415, "")
        changes = patch.parse(_json(), patch.DRAFTS[request.mimetype])
        image = self.seen(id_)
        for change in changes:
            if change.name == "owner" and not self.token.admin:
                raise RefusedError(403, "Owner can't be updated by non admin.")
            if change.name == "visibility":
                self.may_show(change.value)
            self.must_own(image, "modify_image")
        changed = copy.deepcopy(image)
        patch.apply(changed, changes)
        full("", "properties", len(changed["properties"]))
        full("", "tags", len(changed["tags"]))
        if changes:
            touch(changed)
        self.state.images[id_] = changed
        return view(changed)

    @route("DELETE", "/v2/images/<id_>")
    def remove(self, id_: str) -> None:
        """For ever: its id is not given again."""
        image = self.changeable(id_, "delete_image", "Failed to find image {} to delete")
        if image["protected"]:
            raise RefusedError(403, f"Image {id_} is protected and cannot be deleted.")
        self.delete(id_)

    @route("GET", "/v2/tasks")
    def tasks(self) -> Json:
        """Imports are not told here."""
        if not (self.token.admin or self.zed):
            raise RefusedError(403, forbidden("tasks_api_access"))
        query = request.query_string.decode()
        return {"tasks": [], "first": f"/v2/tasks?{query}" if query else "/v2/tasks", "schema": "/v2/schemas/tasks"}

    @route("GET", "/v2/info/import")
    def import_info(self) -> Json:
        """By which ways bytes can come."""
        methods = {"description": "Import methods available.", "type": "array", "value": list(IMPORT_METHODS)}
        return {"import-methods": methods}

    @route("GET", "/v2/info/stores")
    def stores(self) -> Json:
        """There is one."""
        return {"stores": [{"id": STORE, "default": "true"}]}

    def create(self, owner: str | None, fields: Json) -> Json:
        """A queued image that another service makes for a project. ``fields``: as on the wire; shown as there."""
        return view(self._add({**_written(fields), "owner": owner}))

    def amend(self, id_: str, **fields: Any) -> None:
        """Say more of an image, or other things; of one that has gone nothing is said."""
        if image := self.state.images.get(id_):
            own = {name: value for name, value in _written(fields).items() if name not in BASE}
            image.update({name: value for name, value in fields.items() if name in BASE})
            image["properties"] |= own
            touch(image)

    def share(self, id_: str, project: str) -> None:
        """Make a project a member of an image."""
        if image := self.state.images.get(id_):
            image["members"][project] = member(id_, project)

    def find(self, id_: str) -> Json | None:
        """An image as the API shows it; None if there is none."""
        image = self.state.images.get(id_)
        return view(image) if image else None

    def blob(self, id_: str) -> str | None:
        """Its bytes."""
        image = self.state.images.get(id_)
        return image["blob"] if image else None

    def visible(self, id_: str) -> Json | None:
        """An image as :meth:`find` gives it, if whoever makes the request that is being answered can see it."""
        image = self.state.images.get(id_)
        return view(image) if image and self.sees(self.token, image) else None

    def delete(self, id_: str) -> None:
        """Whether it is protected or not."""
        self.state.images.pop(id_, None)

    def _add(self, fields: Json) -> Json:
        made = fresh(fields)
        if made["id"] in self.state.used:
            raise RefusedError(409, f"Image ID {made['id']} already exists!")
        self.state.used.add(made["id"])
        self.state.images[made["id"]] = made
        return made

    def _may_create(self, fields: Json) -> None:
        """Fill in whose it is, and refuse what whoever asks may not make, or nobody."""
        for name in fields:
            if name in DISALLOWED:
                raise RefusedError(403, f"Attribute '{name}' is read-only.")
        patch.valid(fields)
        for name in fields:
            if len(name) > 255:
                raise RefusedError(400, "Custom property should not be greater than 255 characters.")
            if name in patch.READ_ONLY and name != "id":
                raise RefusedError(403, f"Attribute '{name}' is read-only.")
            if name == "locations":
                raise RefusedError(403, "Attribute 'locations' is reserved.")
        patch.reserved(fields)
        owner = fields.setdefault("owner", self.token.project_id)
        if owner != self.token.project_id and not self.token.admin:
            raise RefusedError(403, f"You are not permitted to create images owned by '{owner}'")
        if not (self.token.admin or self.zed or self.token.has("member")):
            raise RefusedError(403, forbidden("add_image"))
        self.may_show(fields.get("visibility", "shared"))
        for name in ("min_disk", "min_ram"):
            if fields.get(name, 0) < 0:
                text = f"Invalid value '{fields[name]}' for parameter '{name}': Cannot be a negative value"
                raise RefusedError(400, text)
        full("", "properties", len(fresh(fields)["properties"]))
        full("", "tags", len(set(fields.get("tags", ()))))


def _written(fields: Json) -> Json:
    """With properties as text, as services write them."""
    return {
        name: value if name in (*BASE, "id", "tags") or isinstance(value, str) else json.dumps(value)
        for name, value in fields.items()
    }


def _json() -> Any:
    """A body that is a list; its content type is none of JSON's."""
    try:
        return request.get_json(force=True)
    except HTTPException:
        raise RefusedError(400, "Malformed JSON in request body.") from None
