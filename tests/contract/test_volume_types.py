"""Cinder: types of volumes, who may use them, how they are encrypted and limited."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.clouds import Account, Json, ignore
from tests.contract.storage import Name, Volumes
from tests.contract.wording import refused

PUBLIC = "os-volume-type-access:is_public"
FIELDS = {"id", "name", "is_public", "description", "extra_specs", PUBLIC}


@pytest.fixture
def type_(operator: Account, name: Name) -> Iterator[Json]:
    """A private type, which nobody may use yet."""
    made = operator.volume.post("/types", "volume_type", name=name("type"), **{PUBLIC: False})
    yield made
    with ignore(400, 404):
        operator.volume.delete(f"/types/{made['id']}")


@pytest.fixture
def limits(operator: Account, name: Name) -> Iterator[Json]:
    """QoS specs."""
    body = {"name": name("limits"), "consumer": "front-end", "total_iops_sec": "5000"}
    made = operator.volume.call("POST", "/qos-specs", json={"qos_specs": body}).json()
    yield made
    with ignore(404):
        operator.volume.delete(f"/qos-specs/{made['qos_specs']['id']}?force=True")


def names(account: Account, **query: Any) -> list[str]:
    return [found["name"] for found in account.volume.list("/types", "volume_types", **query)]


def test_the_usual_types(operator: Account, member: Account) -> None:
    assert names(member)[-2:] == ["lab-nfs", "__DEFAULT__"]
    assert operator.volume.get("/types/default")["name"] == "lab-nfs"
    (usual,) = [found for found in operator.volume.list("/types", "volume_types") if found["name"] == "lab-nfs"]
    assert usual == {
        "id": usual["id"], "name": "lab-nfs", "is_public": True, "description": None, "qos_specs_id": None,
        "extra_specs": {"volume_backend_name": "nfs1"}, PUBLIC: True,
    }  # fmt: skip
    assert member.volume.get(f"/types/{usual['id']}") == {
        **{key: usual[key] for key in FIELDS},
        "extra_specs": {},
    }


def test_a_new_type(operator: Account, name: Name) -> None:
    called = name("new")
    body = {"name": called, "description": "½", "extra_specs": {"pumphouse:tier": "gold é"}}
    made = operator.volume.post("/types", "volume_type", **body)
    assert set(made) == FIELDS
    assert (made["name"], made["description"], made["is_public"], made[PUBLIC]) == (called, "½", True, True)
    path = f"/types/{made['id']}"
    assert operator.volume.get(path) == {**made, "qos_specs_id": None}
    with refused(409, f"Volume Type {called} already exists."):
        operator.volume.post("/types", "volume_type", name=called)
    changed = operator.volume.put(path, "volume_type", description="other", is_public=False)
    assert (changed["description"], changed["is_public"], changed["name"]) == ("other", False, called)
    assert operator.volume.call("DELETE", path).status_code == 202
    with refused(404, f"Volume type {made['id']} could not be found."):
        operator.volume.get(path)


def test_types_are_the_administrators(member: Account, name: Name) -> None:
    with refused(403, "Policy doesn't allow volume_extension:type_create to be performed."):
        member.volume.post("/types", "volume_type", name=name("mine"))
    with refused(403):
        member.volume.call("GET", "/qos-specs")


def test_who_may_use_a_private_type(type_: Json, operator: Account, volumes: Volumes, other: Account) -> None:
    owner, path = volumes.owner, f"/types/{type_['id']}"
    action, project = f"{path}/action", {"project": volumes.owner.project_id}
    assert type_["name"] not in names(operator)
    assert type_["name"] in names(operator, is_public="None")
    assert type_["name"] in names(operator, is_public="False")
    with refused(404):
        owner.volume.get(path)
    with refused(404):
        volumes.make(volume_type=type_["name"])
    assert operator.volume.call("POST", action, json={"addProjectAccess": project}).status_code == 202
    with refused(409):
        operator.volume.call("POST", action, json={"addProjectAccess": project})
    access = operator.volume.list(f"{path}/os-volume-type-access", "volume_type_access")
    assert access == [{"volume_type_id": type_["id"], "project_id": owner.project_id}]
    assert type_["name"] in names(owner)
    assert type_["name"] not in names(other)
    made = volumes.make(volume_type=type_["name"])
    assert (made["volume_type"], made["volume_type_id"]) == (type_["name"], type_["id"])
    volumes.state(made, "available")
    with refused(400, "Target volume type is still in use."):
        operator.volume.call("DELETE", path)
    with refused(400, "Volume Type is currently in use."):
        operator.volume.post(f"{path}/extra_specs", "extra_specs", a="b")
    volumes.gone("volumes", made)
    operator.volume.call("POST", action, json={"removeProjectAccess": project})
    assert type_["name"] not in names(owner)
    with refused(404):
        operator.volume.call("POST", action, json={"removeProjectAccess": project})


def test_a_public_type_has_no_list_of_projects(operator: Account, member: Account) -> None:
    id_ = operator.volume.get("/types/default")["id"]
    with refused(404, "Access list not available for public volume types."):
        operator.volume.call("GET", f"/types/{id_}/os-volume-type-access")
    with refused(403):
        member.volume.call("GET", f"/types/{id_}/os-volume-type-access")


def test_extra_specs_by_themselves(type_: Json, operator: Account) -> None:
    path = f"/types/{type_['id']}/extra_specs"
    assert operator.volume.post(path, "extra_specs", one="1", two="2") == {"one": "1", "two": "2"}
    assert operator.volume.get(path) == {"one": "1", "two": "2"}
    assert operator.volume.put(f"{path}/one", one="x") == {"one": "x"}
    assert operator.volume.call("GET", f"{path}/one").json() == {"one": "x"}
    operator.volume.call("DELETE", f"{path}/one")
    with refused(404, f"Volume Type {type_['id']} has no extra specs with key one."):
        operator.volume.call("DELETE", f"{path}/one")


def test_a_volume_for_which_no_backend_is_fit(type_: Json, operator: Account, volumes: Volumes) -> None:
    operator.volume.post(f"/types/{type_['id']}/extra_specs", "extra_specs", volume_backend_name="none")
    project = {"project": volumes.owner.project_id}
    operator.volume.call("POST", f"/types/{type_['id']}/action", json={"addProjectAccess": project})
    made = volumes.ended(volumes.make(volume_type=type_["name"]))
    assert made["status"] == "error"
    (message,) = volumes.owner.volume.list("/messages", "messages", resource_uuid=made["id"])
    assert message["user_message"] == "schedule allocate volume:Could not find any available weighted backend."
    assert (message["message_level"], message["resource_type"]) == ("ERROR", "VOLUME")
    volumes.gone("volumes", made)


def test_how_its_volumes_are_encrypted(type_: Json, operator: Account, member: Account) -> None:
    path = f"/types/{type_['id']}/encryption"
    assert operator.volume.call("GET", path).json() == {}
    asked = {"provider": "luks", "control_location": "front-end", "cipher": "aes-xts-plain64", "key_size": 256}
    made = operator.volume.post(path, "encryption", **asked)
    assert made == {**asked, "volume_type_id": type_["id"], "encryption_id": made["encryption_id"]}
    shown = operator.volume.call("GET", path).json()
    assert shown == {
        **made, "deleted": False, "deleted_at": None, "updated_at": None, "created_at": shown["created_at"],
    }  # fmt: skip
    with refused(400, f"Volume type encryption for type {type_['id']} already exists."):
        operator.volume.post(path, "encryption", **asked)
    with refused(403):
        member.volume.call("GET", path)
    operator.volume.call("DELETE", f"{path}/{made['encryption_id']}")
    assert operator.volume.call("GET", path).json() == {}


def test_qos_specs(limits: Json, operator: Account) -> None:
    specs = limits["qos_specs"]
    assert set(limits) == {"qos_specs", "links"}
    assert specs == {
        "id": specs["id"],
        "name": specs["name"],
        "consumer": "front-end",
        "specs": {"total_iops_sec": "5000"},
    }
    path = f"/qos-specs/{specs['id']}"
    assert operator.volume.call("GET", path).json() == limits
    assert specs in operator.volume.list("/qos-specs", "qos_specs")
    with refused(409, f"QoS Specs {specs['name']} already exists."):
        operator.volume.call("POST", "/qos-specs", json={"qos_specs": {"name": specs["name"]}})
    operator.volume.put(path, "qos_specs", read_iops_sec="7")
    operator.volume.call("PUT", f"{path}/delete_keys", json={"keys": ["total_iops_sec"]})
    assert operator.volume.call("GET", path).json()["qos_specs"]["specs"] == {"read_iops_sec": "7"}
    nobody = str(uuid.uuid4())
    with refused(404, f"No such QoS spec {nobody}."):
        operator.volume.call("GET", f"/qos-specs/{nobody}")


def test_a_type_has_limits(type_: Json, limits: Json, operator: Account) -> None:
    id_ = limits["qos_specs"]["id"]
    path = f"/qos-specs/{id_}"
    assert operator.volume.call("GET", f"{path}/associate?vol_type_id={type_['id']}").status_code == 202
    assert operator.volume.get(f"/types/{type_['id']}")["qos_specs_id"] == id_
    associations = operator.volume.call("GET", f"{path}/associations").json()["qos_associations"]
    assert associations == [{"association_type": "volume_type", "name": type_["name"], "id": type_["id"]}]
    with refused(400, "Qos specs still in use."):
        operator.volume.call("DELETE", path)
    assert operator.volume.call("GET", f"{path}/disassociate?vol_type_id={type_['id']}").status_code == 202
    assert operator.volume.get(f"/types/{type_['id']}")["qos_specs_id"] is None
    assert operator.volume.call("DELETE", path).status_code == 202
