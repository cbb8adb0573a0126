"""Volume types: their extra specs, who may use private ones, and how their volumes are encrypted."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, request

from pumphouse.embedded.service import RefusedError, body, route
from pumphouse.embedded.volume.base import FALSE, TRUE, Base, flag
from pumphouse.embedded.volume.state import DEFAULT_TYPE, Json, new_type, now, stored, touch

PUBLIC = "os-volume-type-access:is_public"
#: Extra specs that everybody sees.
PUBLIC_SPECS = ("RESKEY:availability_zones", "multiattach", "replication_enabled")
ENCRYPTION = ("provider", "cipher", "key_size", "control_location")
LOCATIONS = ("front-end", "back-end")


class Types(Base):
    """The part of the service about types."""

    @route("GET", "/v3/<project_id>/types")
    def list_types(self) -> Json:
        """The newest first; private ones to administrators who ask for them, or to all projects that may use them."""
        wanted: bool | None = True
        if self.token.admin:
            wanted = _public(request.args.get("is_public"))
        found = [
            type_
            for type_ in reversed(self.state.types.values())
            if wanted is None or type_["is_public"] == wanted or (not self.token.admin and self.usable(type_))
        ]
        return {"volume_types": [self._shown(type_) for type_ in found]}

    @route("POST", "/v3/<project_id>/types")
    def make_type(self) -> Json:
        """Named uniquely."""
        self.demand("volume_extension:type_create")
        given = body("volume_type")
        name = str(given.get("name") or "").strip()
        if not name or len(name) > 255:
            raise RefusedError(400, f"Invalid input for field/attribute name. Value: {given.get('name')}.")
        self._free(name)
        public = flag(given.get(PUBLIC, True), PUBLIC)
        made = new_type(name, description=given.get("description"), is_public=public)
        made["extra_specs"] = {key: str(value) for key, value in (given.get("extra_specs") or {}).items()}
        self.state.types[made["id"]] = made
        return self._brief(made)

    @route("GET", "/v3/<project_id>/types/<id_>")
    def show_type(self, id_: str) -> Json:
        """One of them; "default" stands for what is taken when nothing is said."""
        return {"volume_type": self._shown(self.default_type() if id_ == "default" else self.visible_type(id_))}

    @route("PUT", "/v3/<project_id>/types/<id_>")
    def change_type(self, id_: str) -> Json:
        """Name, description, whether it is public."""
        self.demand("volume_extension:type_update")
        given = body("volume_type")
        type_ = self.visible_type(id_)
        changes = {key: given[key] for key in ("name", "description", "is_public") if given.get(key) is not None}
        if not changes:
            text = "Specify volume type name, description, is_public or a combination thereof."
            raise RefusedError(400, text)
        if "name" in changes and changes["name"] != type_["name"]:
            self._free(changes["name"])
        if "is_public" in changes:
            changes["is_public"] = flag(changes["is_public"], "is_public")
        type_.update(changes)
        touch(type_)
        shown = self._brief(type_)
        del shown["volume_type"][PUBLIC]
        return shown

    @route("DELETE", "/v3/<project_id>/types/<id_>")
    def remove_type(self, id_: str) -> Response:
        """Unless there are volumes of it."""
        self.demand("volume_extension:type_delete")
        type_ = self.visible_type(id_)
        if type_["name"] == DEFAULT_TYPE:
            text = f"The volume type {id_} is a default volume type and cannot be deleted."
            raise RefusedError(400, text)
        if self._has_volumes(id_):
            raise RefusedError(400, "Target volume type is still in use.")
        del self.state.types[id_]
        return empty()

    @route("POST", "/v3/<project_id>/types/<id_>/action")
    def act_on_type(self, id_: str) -> Response:
        """Open a private type to a project, or close it."""
        given = body()
        for action, rule, act in (
            ("addProjectAccess", "add", self._open),
            ("removeProjectAccess", "remove", self._close),
        ):
            if action in given:
                self.demand(f"volume_extension:volume_type_access:{rule}ProjectAccess")
                act(self.visible_type(id_), given[action].get("project"))
                return empty()
        raise RefusedError(400, f"There is no such action: {', '.join(given)}")

    @route("GET", "/v3/<project_id>/types/<id_>/os-volume-type-access")
    def list_access(self, id_: str) -> Json:
        """The projects that may use a private type."""
        self.demand("volume_extension:volume_type_access:get_all_for_type")
        type_ = self.visible_type(id_)
        if type_["is_public"]:
            raise RefusedError(404, "Access list not available for public volume types.")
        return {"volume_type_access": [{"volume_type_id": id_, "project_id": one} for one in type_["projects"]]}

    @route("GET", "/v3/<project_id>/types/<id_>/extra_specs")
    def list_specs(self, id_: str) -> Json:
        """Those that whoever asks may see."""
        return {"extra_specs": self._specs(self.visible_type(id_))}

    @route("POST", "/v3/<project_id>/types/<id_>/extra_specs")
    def set_specs(self, id_: str) -> Json:
        """Some more, or others."""
        given = body("extra_specs")
        self._specifiable(id_, "create")["extra_specs"] |= given
        return {"extra_specs": given}

    @route("GET", "/v3/<project_id>/types/<id_>/extra_specs/<path:key>")
    def show_spec(self, id_: str, key: str) -> Json:
        """One of them."""
        return {key: self._spec(self.visible_type(id_), key)}

    @route("PUT", "/v3/<project_id>/types/<id_>/extra_specs/<path:key>")
    def set_spec(self, id_: str, key: str) -> Json:
        """One of them."""
        given = body()
        if key not in given:
            raise RefusedError(400, "Request body and URI mismatch")
        self._specifiable(id_, "update")["extra_specs"] |= given
        return given

    @route("DELETE", "/v3/<project_id>/types/<id_>/extra_specs/<path:key>")
    def remove_spec(self, id_: str, key: str) -> Response:
        """One less."""
        type_ = self._specifiable(id_, "delete")
        self._spec(type_, key)
        del type_["extra_specs"][key]
        return empty()

    @route("GET", "/v3/<project_id>/types/<id_>/encryption")
    def show_encryption(self, id_: str) -> Json:
        """Nothing, if there is none."""
        self.demand("volume_extension:volume_type_encryption:get")
        return self.visible_type(id_)["encryption"] or {}

    @route("POST", "/v3/<project_id>/types/<id_>/encryption")
    def encrypt(self, id_: str) -> Json:
        """Say how volumes of the type are encrypted; before there are any."""
        self.demand("volume_extension:volume_type_encryption:create")
        given = _encryption(body("encryption"))
        type_ = self.visible_type(id_)
        if self._has_volumes(id_):
            raise RefusedError(400, "Cannot create encryption specs. Volume type in use.")
        if type_["encryption"]:
            raise RefusedError(400, f"Volume type encryption for type {id_} already exists.")
        type_["encryption"] = {
            "encryption_id": str(uuid.uuid4()),
            **{key: given.get(key) for key in ("cipher", "key_size", "provider", "control_location")},
            "volume_type_id": id_,
            "deleted_at": None,
            "deleted": False,
            "created_at": stored(now()),
            "updated_at": None,
        }
        told = {"volume_type_id": id_, "encryption_id": type_["encryption"]["encryption_id"]}
        return {"encryption": {**given, **told}}

    @route("PUT", "/v3/<project_id>/types/<id_>/encryption/<encryption_id>")
    def change_encryption(self, id_: str, encryption_id: str) -> Json:
        """As long as there are no volumes of the type."""
        self.demand("volume_extension:volume_type_encryption:update")
        given = _encryption(body("encryption"), partial=True)
        type_ = self._encrypted(id_, "update")
        type_["encryption"] |= {key: given[key] for key in ENCRYPTION if key in given}
        return {"encryption": given}

    @route("DELETE", "/v3/<project_id>/types/<id_>/encryption/<encryption_id>")
    def decrypt(self, id_: str, encryption_id: str) -> Response:
        """As long as there are no volumes of the type."""
        self.demand("volume_extension:volume_type_encryption:delete")
        self._encrypted(id_, "delete")["encryption"] = None
        return empty()

    # --- inside ---

    def _shown(self, type_: Json) -> Json:
        shown = {key: type_[key] for key in ("id", "name", "is_public", "description")}
        shown["extra_specs"] = self._specs(type_)
        if self.token.admin:
            shown["qos_specs_id"] = type_["qos_specs_id"]
        return {**shown, PUBLIC: type_["is_public"]}

    def _brief(self, type_: Json) -> Json:
        """As it is shown when it was just made."""
        shown = self._shown(type_)
        shown.pop("qos_specs_id", None)
        return {"volume_type": shown}

    def _specs(self, type_: Json) -> Json:
        specs: Json = type_["extra_specs"]
        if self.token.admin:
            return specs
        return {key: value for key, value in specs.items() if key in PUBLIC_SPECS}

    def _spec(self, type_: Json, key: str) -> str:
        specs = self._specs(type_)
        if key not in specs:
            raise RefusedError(404, f"Volume Type {type_['id']} has no extra specs with key {key}.")
        return str(specs[key])

    def _specifiable(self, id_: str, rule: str) -> Json:
        self.demand(f"volume_extension:types_extra_specs:{rule}")
        type_ = self.visible_type(id_)
        if self._has_volumes(id_):
            raise RefusedError(400, "Volume Type is currently in use.")
        return type_

    def _encrypted(self, id_: str, verb: str) -> Json:
        type_ = self.visible_type(id_)
        if self._has_volumes(id_):
            raise RefusedError(400, f"Cannot {verb} encryption specs. Volume type in use.")
        if not type_["encryption"]:
            raise RefusedError(404, f"Volume type encryption for type {id_} does not exist.")
        return type_

    def _free(self, name: str) -> None:
        if self.type_called(name):
            raise RefusedError(409, f"Volume Type {name} already exists.")

    def _has_volumes(self, id_: str) -> bool:
        return any(volume["volume_type_id"] == id_ for volume in self.state.volumes.values())

    def _open(self, type_: Json, project: str) -> None:
        if type_["is_public"]:
            text = "Type access modification is not applicable to public volume type."
            raise RefusedError(400, f"Invalid volume type: {text}")
        if project in type_["projects"]:
            text = f"Volume type access for {type_['id']} / {project} combination already exists."
            raise RefusedError(409, text)
        type_["projects"][project] = None

    def _close(self, type_: Json, project: str) -> None:
        if project not in type_["projects"]:
            text = f"Volume type access not found for {type_['id']} / {project} combination."
            raise RefusedError(404, text)
        del type_["projects"][project]


def empty(status: int = 202) -> Response:
    """An answer without a body."""
    return Response(status=status, content_type="text/html; charset=UTF-8")


def _public(asked: str | None) -> bool | None:
    """True, False, or None for both."""
    if asked is None or asked.lower() in TRUE:
        return True
    if asked.lower() == "none":
        return None
    if asked.lower() in FALSE:
        return False
    raise RefusedError(400, f"Invalid input received: Invalid is_public filter [{asked}]")


def _encryption(given: Json, partial: bool = False) -> Json:
    """Refuses what says too little, or what cannot be."""
    if not partial and not given.get("provider"):
        raise RefusedError(400, "Invalid input for field/attribute encryption. 'provider' is a required property")
    if given.get("control_location", "front-end") not in LOCATIONS:
        value: Any = given["control_location"]
        text = f"Invalid input for field/attribute control_location. Value: {value}. {value!r} is not one of "
        raise RefusedError(400, f"{text}{list(LOCATIONS)!r}")
    if given.get("key_size") is not None:
        given["key_size"] = int(given["key_size"])
    return given
