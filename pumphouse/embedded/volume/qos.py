"""QoS specs: limits of volumes, each for one or several types."""

from __future__ import annotations

import uuid

from flask import Response, request

from pumphouse.embedded.service import RefusedError, body, route
from pumphouse.embedded.volume.base import flag
from pumphouse.embedded.volume.state import Json
from pumphouse.embedded.volume.types import Types, empty

CONSUMERS = ("front-end", "back-end", "both")


class Qos(Types):
    """The part of the service about them."""

    @route("GET", "/v3/<project_id>/qos-specs")
    def list_qos(self) -> Json:
        """The newest first."""
        self.demand("volume_extension:qos_specs_manage:get_all")
        return {"qos_specs": list(reversed(self.state.qos.values()))}

    @route("POST", "/v3/<project_id>/qos-specs")
    def make_qos(self) -> Json:
        """Named uniquely. The limits and who applies them are sent in one object."""
        self.demand("volume_extension:qos_specs_manage:create")
        given = body("qos_specs")
        name = str(given.pop("name", "")).strip()
        if not name:
            raise RefusedError(400, "Invalid input for field/attribute name. Value: . '' is too short")
        consumer = _consumer(given.pop("consumer", "back-end"))
        if any(qos["name"] == name for qos in self.state.qos.values()):
            raise RefusedError(409, f"QoS Specs {name} already exists.")
        made: Json = {"id": str(uuid.uuid4()), "name": name, "consumer": consumer, "specs": given}
        self.state.qos[made["id"]] = made
        return self._told(made)

    @route("GET", "/v3/<project_id>/qos-specs/<id_>")
    def show_qos(self, id_: str) -> Json:
        """One of them."""
        self.demand("volume_extension:qos_specs_manage:get")
        return self._told(self._qos(id_))

    @route("PUT", "/v3/<project_id>/qos-specs/<id_>")
    def change_qos(self, id_: str) -> Json:
        """More limits, or others."""
        self.demand("volume_extension:qos_specs_manage:update")
        given = body("qos_specs")
        qos = self._qos(id_)
        if "consumer" in given:
            qos["consumer"] = _consumer(given["consumer"])
        qos["specs"] |= {key: value for key, value in given.items() if key != "consumer"}
        return {"qos_specs": given}

    @route("PUT", "/v3/<project_id>/qos-specs/<id_>/delete_keys")
    def remove_keys(self, id_: str) -> Response:
        """Fewer limits."""
        self.demand("volume_extension:qos_specs_manage:delete")
        qos = self._qos(id_)
        for key in body().get("keys") or ():
            if key not in qos["specs"]:
                raise RefusedError(404, f"QoS spec {id_} has no spec with key {key}.")
            del qos["specs"][key]
        return empty()

    @route("DELETE", "/v3/<project_id>/qos-specs/<id_>")
    def remove_qos(self, id_: str) -> Response:
        """Unless a type has them; by force, then too."""
        self.demand("volume_extension:qos_specs_manage:delete")
        self._qos(id_)
        if users := self._users(id_):
            if not flag(request.args.get("force", "False"), "force"):
                raise RefusedError(400, "Qos specs still in use.")
            for type_ in users:
                type_["qos_specs_id"] = None
        del self.state.qos[id_]
        return empty()

    @route("GET", "/v3/<project_id>/qos-specs/<id_>/associations")
    def list_associations(self, id_: str) -> Json:
        """The types that have them."""
        self.demand("volume_extension:qos_specs_manage:get_all")
        self._qos(id_)
        users = [
            {"association_type": "volume_type", "name": type_["name"], "id": type_["id"]} for type_ in self._users(id_)
        ]
        return {"qos_associations": users}

    @route("GET", "/v3/<project_id>/qos-specs/<id_>/associate")
    def associate(self, id_: str) -> Response:
        """Give them to a type that has no others."""
        type_ = self._associable(id_)
        if type_["qos_specs_id"] not in (None, id_):
            text = f"Type {type_['id']} is already associated with another qos specs: {type_['qos_specs_id']}"
            raise RefusedError(400, f"Invalid volume type: {text}")
        type_["qos_specs_id"] = id_
        return empty()

    @route("GET", "/v3/<project_id>/qos-specs/<id_>/disassociate")
    def disassociate(self, id_: str) -> Response:
        """Take them from a type."""
        type_ = self._associable(id_)
        if type_["qos_specs_id"] == id_:
            type_["qos_specs_id"] = None
        return empty()

    @route("GET", "/v3/<project_id>/qos-specs/<id_>/disassociate_all")
    def disassociate_all(self, id_: str) -> Response:
        """Take them from all types."""
        self.demand("volume_extension:qos_specs_manage:update")
        self._qos(id_)
        for type_ in self._users(id_):
            type_["qos_specs_id"] = None
        return empty()

    def _associable(self, id_: str) -> Json:
        self.demand("volume_extension:qos_specs_manage:update")
        type_id = request.args.get("vol_type_id")
        if not type_id:
            raise RefusedError(400, "Volume Type id must not be None.")
        self._qos(id_)
        return self.visible_type(type_id)

    def _qos(self, id_: str) -> Json:
        if id_ not in self.state.qos:
            raise RefusedError(404, f"No such QoS spec {id_}.")
        return self.state.qos[id_]

    def _users(self, id_: str) -> list[Json]:
        return [type_ for type_ in self.state.types.values() if type_["qos_specs_id"] == id_]

    def _told(self, qos: Json) -> Json:
        return {"qos_specs": qos, "links": self.links("qos-specs", qos["id"])}


def _consumer(value: str) -> str:
    if value not in CONSUMERS:
        text = f"Valid consumer of QoS specs are: {list(CONSUMERS)!r}"
        raise RefusedError(400, f"Invalid qos specs: {text}")
    return value
