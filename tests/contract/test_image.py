"""Glance: images as records, their bytes, who sees them, and how they are listed."""

from __future__ import annotations

import contextlib
import hashlib
import html
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.acceptance.clouds import Account, Json, RefusedError, wait
from tests.acceptance.tenant.images import qcow2, upload
from tests.contract.conftest import Contractor

Name = Callable[[str], str]
MIB = 1 << 20
OCTETS = {"Content-Type": "application/octet-stream"}
PATCH = "application/openstack-images-v2.1-json-patch"
#: What every image shows, whatever it is.
FIELDS = {
    "name", "disk_format", "container_format", "visibility", "size", "virtual_size", "status", "checksum", "protected",
    "min_ram", "min_disk", "owner", "os_hidden", "os_hash_algo", "os_hash_value", "id", "created_at", "updated_at",
    "tags", "self", "file", "schema",
}  # fmt: skip


@contextlib.contextmanager
def refused(status: int, words: str = "") -> Iterator[None]:
    """What is done inside is refused with this status, and a page with these words."""
    with pytest.raises(RefusedError) as caught:
        yield
    assert caught.value.status == status
    assert words in html.unescape(str(caught.value))


def make(account: Account, called: str, **fields: Any) -> Json:
    """A queued image."""
    usual = {"name": called, "disk_format": "raw", "container_format": "bare"}
    return account.image.post("/images", **{**usual, **fields})


def put(account: Account, image: Json, data: Any, **headers: str) -> requests.Response:
    return account.image.call("PUT", f"/images/{image['id']}/file", data=data, headers={**OCTETS, **headers})


def change(account: Account, image: Json, *changes: Json, kind: str = PATCH) -> Json:
    path = f"/images/{image['id']}"
    answer: Json = account.image.call("PATCH", path, json=list(changes), headers={"Content-Type": kind}).json()
    return answer


def replace(account: Account, image: Json, **fields: Any) -> Json:
    return change(account, image, *({"op": "replace", "path": f"/{k}", "value": v} for k, v in fields.items()))


def show(account: Account, image: Json) -> Json:
    return account.image.get(f"/images/{image['id']}")


def listed(account: Account, among: list[Json], **query: Any) -> set[str]:
    """The ids of ``among`` that a list has."""
    ids = {image["id"] for image in among}
    return ids & {image["id"] for image in account.image.list("/images", "images", limit=500, **query)}


def plain(account: Account, path: str = "") -> str:
    """An address of the service."""
    return str(account.connection.image.get_endpoint()).rstrip("/").removesuffix("/v2") + path


@pytest.fixture(scope="session")
def queued(member: Account, name: Name) -> Json:
    """An image of which almost nothing was said."""
    return member.image.post("/images", name=name("plain"))


@pytest.fixture(scope="session")
def active(member: Account, name: Name) -> Json:
    """A qcow2 disk of a MiB."""
    data = qcow2({0: os.urandom(4096)}, MIB)
    return {**upload(member, data, "qcow2", name=name("active"), hw_disk_bus="virtio"), "data": data}


# --- what there is ---


def test_versions_are_told_without_a_token(member: Account, release: str) -> None:
    answer = requests.get(plain(member, "/"), timeout=60)
    assert answer.status_code == 300
    current = [one["id"] for one in answer.json()["versions"] if one["status"] == "CURRENT"]
    assert current == [{"zed": "v2.15", "2026.1": "v2.17"}[release]]


def test_formats_are_in_the_schema(member: Account) -> None:
    schema = member.image.call("GET", "/schemas/image").json()
    assert {"raw", "qcow2", "vmdk", "iso"} < set(schema["properties"]["disk_format"]["enum"])
    assert schema["properties"]["container_format"]["enum"][0] is None
    assert schema["additionalProperties"] == {"type": "string"}
    assert member.image.call("GET", "/schemas/member").json()["properties"]["status"]["enum"] == [
        "pending", "accepted", "rejected",
    ]  # fmt: skip


def test_there_is_one_store(member: Account, operator: Account) -> None:
    assert member.image.call("GET", "/info/stores").json() == {"stores": [{"id": "file1", "default": "true"}]}
    assert "glance-direct" in member.image.call("GET", "/info/import").json()["import-methods"]["value"]
    tasks = operator.image.call("GET", "/tasks?limit=1").json()
    assert tasks["schema"] == "/v2/schemas/tasks"


def test_without_a_token_nothing_is_shown(member: Account) -> None:
    answer = requests.get(plain(member, "/v2/images"), timeout=60)
    assert answer.status_code == 401
    assert "This server could not verify that you are authorized" in answer.text
    assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")


def test_errors_are_pages_of_html(member: Account) -> None:
    id_ = str(uuid.uuid4())
    headers = {"X-Auth-Token": member.connection.auth_token}
    answer = requests.get(plain(member, f"/v2/images/{id_}"), headers=headers, timeout=60)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")
    assert answer.text.splitlines()[:7] == [
        "<html>",
        " <head>",
        "  <title>404 Not Found</title>",
        " </head>",
        " <body>",
        "  <h1>404 Not Found</h1>",
        f"  No image found with ID {id_}<br /><br />",
    ]


# --- records ---


def test_a_new_image_is_queued_and_shared_by_default(queued: Json, member: Account) -> None:
    assert set(queued) == FIELDS
    assert (queued["status"], queued["visibility"], queued["owner"]) == ("queued", "shared", member.project_id)
    for field in ("disk_format", "container_format", "size", "virtual_size", "checksum", "os_hash_algo"):
        assert queued[field] is None
    assert (queued["protected"], queued["os_hidden"], queued["min_disk"], queued["min_ram"]) == (False, False, 0, 0)
    assert queued["tags"] == []
    path = f"/v2/images/{queued['id']}"
    assert (queued["self"], queued["file"], queued["schema"]) == (path, f"{path}/file", "/v2/schemas/image")
    assert show(member, queued) == queued


def test_where_it_is_stands_in_the_headers(member: Account, name: Name) -> None:
    answer = member.image.call("POST", "/images", json={"name": name("headers")})
    assert answer.status_code == 201
    assert answer.headers["Location"] == plain(member, f"/v2/images/{answer.json()['id']}")
    assert answer.headers["OpenStack-image-store-ids"].split(",")[0] == "file1"
    assert "web-download" in answer.headers["OpenStack-image-import-methods"]


def test_users_add_properties_of_their_own(member: Account, name: Name) -> None:
    text = "a: 'b' \"c\" / 日本 & <d>"
    made = make(member, name("own"), custom=text, empty="", tags=["zwei", "eins", "zwei"])
    assert (made["custom"], made["empty"], sorted(made["tags"])) == (text, "", ["eins", "zwei"])


def test_an_id_is_given_once_and_never_again(member: Account, name: Name) -> None:
    id_ = str(uuid.uuid4())
    assert make(member, name("first"), id=id_)["id"] == id_
    with refused(409, f"Image ID {id_} already exists!"):
        make(member, name("second"), id=id_)
    member.image.delete(f"/images/{id_}")
    with refused(409, f"Image ID {id_} already exists!"):
        make(member, name("third"), id=id_)


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"disk_format": "floppy"}, 400, "is not one of"),
        ({"min_disk": "1"}, 400, "is not of type"),
        ({"name": "x" * 256}, 400, ""),
        ({"custom": 1}, 400, "is not of type"),
        ({"id": "one"}, 400, "does not match"),
        ({"status": "active"}, 403, "is read-only"),
        ({"file": "/x"}, 403, "is read-only"),
        ({"os_glance_x": "y"}, 403, "is reserved"),
        ({"visibility": "public"}, 403, "publicize_image"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(member: Account, name: Name, fields: Json, status: int, words: str) -> None:
    with refused(status, words):
        make(member, name("wrong"), **fields)


def test_only_administrators_make_images_for_others(
    member: Account, other: Account, operator: Account, name: Name
) -> None:
    with refused(403, "You are not permitted to create images owned by"):
        make(member, name("theirs"), owner=other.project_id)
    assert make(operator, name("for others"), owner=other.project_id)["owner"] == other.project_id


def test_a_patch_changes_all_or_nothing(member: Account, name: Name) -> None:
    image = make(member, name("patched"), one="1", two="2")
    changed = change(
        member,
        image,
        {"op": "replace", "path": "/name", "value": name("renamed")},
        {"op": "add", "path": "/a~1b", "value": "slash"},
        {"op": "remove", "path": "/one"},
        {"op": "replace", "path": "/tags", "value": ["t"]},
        {"op": "replace", "path": "/os_hidden", "value": True},
    )
    assert (changed["a/b"], changed["tags"], changed["os_hidden"], changed["two"]) == ("slash", ["t"], True, "2")
    assert "one" not in changed
    with refused(409, "Property nothing does not exist."):
        change(member, image, {"op": "remove", "path": "/two"}, {"op": "replace", "path": "/nothing", "value": "x"})
    assert show(member, image)["two"] == "2"


@pytest.mark.parametrize(
    ("patch", "status", "words"),
    [
        ({"op": "replace", "path": "/status", "value": "active"}, 403, "is read-only"),
        ({"op": "remove", "path": "/name"}, 403, "may not be removed"),
        ({"op": "move", "path": "/name", "value": "x"}, 400, "Invalid operation"),
        ({"op": "replace", "path": "name", "value": "x"}, 400, "does not start with"),
        ({"op": "replace", "path": "/name"}, 400, "requires a member named"),
        ({"op": "replace", "path": "/min_disk", "value": "1"}, 400, "is not of type"),
        ({"op": "replace", "path": "/owner", "value": "x"}, 403, "updated by non admin"),
        ({"op": "replace", "path": "/visibility", "value": "public"}, 403, "publicize_image"),
    ],
    ids=lambda given: given["path"] + given["op"] if isinstance(given, dict) else str(given),
)
def test_a_wrong_patch_is_refused(member: Account, queued: Json, patch: Json, status: int, words: str) -> None:
    with refused(status, words):
        change(member, queued, patch)


def test_a_patch_has_a_content_type_of_its_own(member: Account, queued: Json) -> None:
    with refused(415):
        change(member, queued, kind="application/json")


def test_a_protected_image_stays(member: Account, name: Name) -> None:
    image = make(member, name("protected"), protected=True)
    with refused(403, f"Image {image['id']} is protected and cannot be deleted."):
        member.image.call("DELETE", f"/images/{image['id']}")
    replace(member, image, protected=False)
    assert member.image.call("DELETE", f"/images/{image['id']}").status_code == 204
    with refused(404, f"Failed to find image {image['id']} to delete"):
        member.image.call("DELETE", f"/images/{image['id']}")


def test_tags_by_themselves(member: Account, name: Name) -> None:
    image = make(member, name("tagged"))
    path = f"/images/{image['id']}/tags/pumphouse"
    for _ in range(2):
        assert member.image.call("PUT", path).status_code == 204
    assert show(member, image)["tags"] == ["pumphouse"]
    assert member.image.call("DELETE", path).status_code == 204
    with refused(404):
        member.image.call("DELETE", path)


# --- bytes ---


def test_what_was_uploaded_is_hashed_and_measured(active: Json, member: Account) -> None:
    data = active["data"]
    assert set(active) - {"data", "hw_disk_bus"} == FIELDS | {"stores"}
    assert (active["status"], active["size"], active["virtual_size"]) == ("active", len(data), MIB)
    assert active["checksum"] == hashlib.md5(data).hexdigest()
    assert (active["os_hash_algo"], active["os_hash_value"]) == ("sha512", hashlib.sha512(data).hexdigest())
    assert active["stores"] == "file1"


def test_a_download_gives_the_bytes_back(active: Json, member: Account) -> None:
    answer = member.image.call("GET", f"/images/{active['id']}/file")
    assert answer.content == active["data"]
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-MD5"] == active["checksum"]
    assert answer.headers["Content-Length"] == str(active["size"])


def test_parts_can_be_downloaded(active: Json, member: Account) -> None:
    data, size = active["data"], active["size"]
    ranges = {
        "bytes=0-3": (0, 4), "bytes=100-": (100, size), "bytes=-10": (size - 10, size),
        f"bytes=10-{size + 5}": (10, size),
    }  # fmt: skip
    for asked, (start, end) in ranges.items():
        answer = member.image.call("GET", f"/images/{active['id']}/file", headers={"Range": asked})
        assert answer.status_code == 206, asked
        assert answer.content == data[start:end], asked
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}", asked
    with refused(416):
        member.image.call("GET", f"/images/{active['id']}/file", headers={"Range": f"bytes={size}-"})


def test_an_upload_answers_nothing(member: Account, name: Name) -> None:
    image = make(member, name("chunked"))
    answer = put(member, image, iter([b"a" * 1000, b"b" * 100_000]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert show(member, image)["size"] == 101_000


def test_a_queued_image_has_nothing_to_download(queued: Json, member: Account) -> None:
    assert member.image.call("GET", f"/images/{queued['id']}/file").status_code == 204


def test_bytes_are_taken_once(active: Json, member: Account) -> None:
    with refused(409, "Image status transition from active to saving is not allowed"):
        put(member, active, b"x")
    assert show(member, active)["status"] == "active"


def test_formats_come_before_bytes(queued: Json, member: Account) -> None:
    with refused(400, "Properties disk_format, container_format must be set prior to saving data."):
        put(member, queued, b"x")
    with refused(415):
        put(member, queued, b"x", **{"Content-Type": "text/plain"})


def test_the_format_stays_with_the_bytes(active: Json, member: Account) -> None:
    with refused(403, "Attribute disk_format can be only replaced for a queued image."):
        replace(member, active, disk_format="raw")


def test_the_newer_glance_looks_at_the_format(member: Account, name: Name, release: str) -> None:
    image = make(member, name("no qcow2"), disk_format="qcow2")
    if release == "zed":
        put(member, image, os.urandom(100_000))
        assert (show(member, image)["status"], show(member, image)["virtual_size"]) == ("active", None)
        return
    with refused(415, "The request media type application/octet-stream is not supported by this server."):
        put(member, image, os.urandom(100_000))
    assert show(member, image)["status"] == "queued"


@pytest.mark.parametrize("form", ["aki", "ami"])
def test_parts_of_machines_are_not_looked_at(member: Account, name: Name, form: str) -> None:
    image = make(member, name(form), disk_format=form, container_format=form)
    put(member, image, os.urandom(3000))
    assert (show(member, image)["status"], show(member, image)["virtual_size"]) == ("active", None)


def test_an_upload_that_breaks_off_leaves_a_queued_image(member: Account, name: Name) -> None:
    image = make(member, name("broken off"))
    address = urlsplit(plain(member, f"/v2/images/{image['id']}/file"))
    with socket.create_connection((address.hostname, address.port), 60) as connection:
        head = f"PUT {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        head += f"X-Auth-Token: {member.connection.auth_token}\r\nContent-Type: application/octet-stream\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"1000\r\n" + b"x" * 4096 + b"\r\n")
        saving = wait(lambda: show(member, image), lambda seen: seen["status"] == "saving", "the upload")
        assert saving["size"] is None
    wait(lambda: show(member, image), lambda seen: seen["status"] == "queued", "the end of the upload")
    put(member, image, b"whole")
    assert show(member, image)["size"] == 5


def test_a_deactivated_image_is_for_administrators(member: Account, operator: Account, name: Name) -> None:
    image = upload(member, b"x" * 512, "raw", name=name("deactivated"))
    for _ in range(2):
        assert operator.image.call("POST", f"/images/{image['id']}/actions/deactivate").status_code == 204
    assert show(member, image)["status"] == "deactivated"
    with refused(403, "The requested image has been deactivated. Image data download is forbidden."):
        member.image.call("GET", f"/images/{image['id']}/file")
    assert operator.image.call("GET", f"/images/{image['id']}/file").content == b"x" * 512
    operator.image.call("POST", f"/images/{image['id']}/actions/reactivate")
    assert show(member, image)["status"] == "active"


def test_only_whole_images_can_be_deactivated(member: Account, operator: Account, queued: Json) -> None:
    with refused(403, "Not allowed to deactivate image in status 'queued'"):
        operator.image.call("POST", f"/images/{queued['id']}/actions/deactivate")


def test_staged_bytes_are_imported(member: Account, name: Name) -> None:
    image = make(member, name("staged"))
    method = {"method": {"name": "glance-direct"}}
    with refused(409, "Image needs to be staged before 'glance-direct' method can be used"):
        member.image.call("POST", f"/images/{image['id']}/import", json=method)
    member.image.call("PUT", f"/images/{image['id']}/stage", data=b"y" * 1024, headers=OCTETS)
    assert show(member, image)["status"] == "uploading"
    assert member.image.call("POST", f"/images/{image['id']}/import", json=method).status_code == 202
    done = wait(lambda: show(member, image), lambda seen: seen["status"] == "active", "the import")
    assert done["os_hash_value"] == hashlib.sha512(b"y" * 1024).hexdigest()
    with refused(409, "Image with status active cannot be target for import"):
        member.image.call("POST", f"/images/{image['id']}/import", json=method)


# --- who sees what ---


@pytest.fixture(scope="module")
def seen(member: Account, operator: Account, name: Name) -> Iterator[dict[str, Json]]:
    """An image of each visibility."""
    made = {kind: make(member, name(kind), visibility=kind) for kind in ("private", "shared", "community")}
    made["public"] = replace(operator, make(member, name("public")), visibility="public")
    yield made
    for image in made.values():
        operator.image.delete(f"/images/{image['id']}")


def kinds(account: Account, seen: dict[str, Json], **query: Any) -> set[str]:
    ids = listed(account, list(seen.values()), **query)
    return {kind for kind, image in seen.items() if image["id"] in ids}


def test_who_lists_what(seen: dict[str, Json], member: Account, other: Account, operator: Account) -> None:
    assert kinds(member, seen) == {"private", "shared", "community", "public"}
    assert kinds(other, seen) == {"public"}
    assert kinds(other, seen, visibility="all") == {"public", "community"}
    assert kinds(other, seen, visibility="community") == {"community"}
    assert kinds(operator, seen) == {"private", "shared", "public"}
    assert kinds(operator, seen, visibility="all") == {"private", "shared", "community", "public"}
    with refused(400, "Invalid visibility value: secret"):
        kinds(member, seen, visibility="secret")


def test_who_gets_what(seen: dict[str, Json], other: Account) -> None:
    for kind in ("public", "community"):
        assert show(other, seen[kind])["id"] == seen[kind]["id"]
    for kind in ("private", "shared"):
        with refused(404, f"No image found with ID {seen[kind]['id']}"):
            show(other, seen[kind])


def test_what_is_seen_is_not_changed_by_others(seen: dict[str, Json], other: Account) -> None:
    with refused(403):
        replace(other, seen["public"], name="mine")
    with refused(403):
        other.image.call("DELETE", f"/images/{seen['public']['id']}")
    with refused(403):
        other.image.call("PUT", f"/images/{seen['public']['id']}/tags/mine")
    with refused(404):
        other.image.call("DELETE", f"/images/{seen['private']['id']}")


def test_a_member_sees_what_it_has_accepted(member: Account, other: Account, operator: Account, name: Name) -> None:
    image = upload(member, b"z" * 512, "raw", name=name("offered"), visibility="shared")
    path, who = f"/images/{image['id']}/members", other.project_id
    answer = member.image.call("POST", path, json={"member": who})
    offered = answer.json()
    assert answer.status_code == 200
    assert set(offered) == {"member_id", "image_id", "status", "created_at", "updated_at", "schema"}
    assert (offered["member_id"], offered["status"], offered["schema"]) == (who, "pending", "/v2/schemas/member")
    with refused(409, f"Member {who} is duplicated for image {image['id']}"):
        member.image.call("POST", path, json={"member": who})
    assert listed(other, [image]) == set()
    assert listed(other, [image], member_status="all") == {image["id"]}
    assert other.image.call("GET", f"/images/{image['id']}/file").content == b"z" * 512
    with refused(403):
        member.image.call("PUT", f"{path}/{who}", json={"status": "accepted"})
    with refused(400, "Status must be"):
        other.image.call("PUT", f"{path}/{who}", json={"status": "perhaps"})
    assert other.image.call("PUT", f"{path}/{who}", json={"status": "accepted"}).json()["status"] == "accepted"
    assert listed(other, [image]) == {image["id"]}
    with refused(403):
        other.image.call("DELETE", f"{path}/{who}")
    assert member.image.call("DELETE", f"{path}/{who}").status_code == 204
    assert member.image.call("GET", path).json() == {"members": [], "schema": "/v2/schemas/members"}
    with refused(404):
        show(other, image)


def test_an_administrator_answers_for_a_member(member: Account, other: Account, operator: Account, name: Name) -> None:
    image = make(member, name("answered"), visibility="shared")
    path = f"/images/{image['id']}/members"
    member.image.call("POST", path, json={"member": other.project_id})
    member.image.call("POST", path, json={"member": operator.project_id})
    answer = operator.image.call("PUT", f"{path}/{other.project_id}", json={"status": "rejected"}).json()
    assert answer["status"] == "rejected"
    assert member.image.call("GET", f"{path}/{other.project_id}").json() == answer
    mine = other.image.call("GET", path).json()["members"]
    assert [one["member_id"] for one in mine] == [other.project_id]
    assert len(operator.image.call("GET", path).json()["members"]) == 2


def test_only_shared_images_have_members(seen: dict[str, Json], member: Account, other: Account) -> None:
    path = f"/images/{seen['private']['id']}/members"
    with refused(403, f"Not allowed to create members for image {seen['private']['id']}."):
        member.image.call("POST", path, json={"member": other.project_id})
    with refused(403, "Only shared images have members."):
        member.image.call("GET", path)


# --- lists ---


@pytest.fixture(scope="module")
def many(contractor: Contractor, name: Name) -> Iterator[tuple[Account, list[Json]]]:
    """Somebody with five images, of which the last is hidden."""
    owner = contractor.person("images")
    made, called = [], name("many")
    for number in range(5):
        image = make(owner, f"{called} {number}", min_ram=number, tags=["all", f"t{number}"], number=str(number))
        made.append(replace(owner, image, os_hidden=True) if number == 4 else image)
    yield owner, made
    for image in made:
        owner.image.delete(f"/images/{image['id']}")


def test_pages_follow_each_other(many: tuple[Account, list[Json]]) -> None:
    owner, made = many
    first = owner.image.call("GET", f"/images?owner={owner.project_id}&limit=3").json()
    assert set(first) == {"images", "first", "next", "schema"}
    assert first["first"] == f"/v2/images?owner={owner.project_id}&limit=3"
    assert first["schema"] == "/v2/schemas/images"
    assert f"marker={first['images'][-1]['id']}" in first["next"]
    second = owner.image.call("GET", first["next"].removeprefix("/v2")).json()
    ids = [image["id"] for image in [*first["images"], *second["images"]]]
    assert sorted(ids) == sorted(image["id"] for image in made[:4])
    assert "next" not in second
    with refused(400):
        owner.image.call("GET", f"/images?marker={uuid.uuid4()}")
    with refused(400, "limit param must be positive"):
        owner.image.call("GET", "/images?limit=-1")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {0, 1, 2, 3}),
        ({"os_hidden": "true"}, {4}),
        ({"number": "2"}, {2}),
        ({"tag": "t3"}, {3}),
        ({"status": "queued"}, {0, 1, 2, 3}),
        ({"status": "active"}, set()),
        ({"status": "in:active,queued"}, {0, 1, 2, 3}),
        ({"disk_format": "qcow2"}, set()),
        ({"min_ram": "1"}, {1}),
        ({"protected": "false"}, {0, 1, 2, 3}),
        ({"owner": "nobody"}, set()),
    ],
    ids=str,
)
def test_lists_are_filtered(many: tuple[Account, list[Json]], query: Json, expected: set[int]) -> None:
    owner, made = many
    ids = listed(owner, made, **query)
    assert {number for number, image in enumerate(made) if image["id"] in ids} == expected


def test_a_name_is_a_filter(many: tuple[Account, list[Json]]) -> None:
    owner, made = many
    assert listed(owner, made, name=made[1]["name"]) == {made[1]["id"]}
    names = ",".join(f'"{image["name"]}"' for image in made[:2])
    assert listed(owner, made, name=f"in:{names}") == {image["id"] for image in made[:2]}
    assert listed(owner, made, id=f"in:{made[0]['id']},{made[3]['id']}") == {made[0]["id"], made[3]["id"]}


def test_lists_are_sorted(many: tuple[Account, list[Json]]) -> None:
    owner, made = many
    query = {"owner": owner.project_id, "sort": "name:asc"}
    names = [image["name"] for image in owner.image.list("/images", "images", **query)]
    assert names == [image["name"] for image in made[:4]]
    with refused(400, "Invalid sort key: colour"):
        owner.image.list("/images", "images", sort="colour:asc")
    with refused(400, "Unable to filter by unknown operator 'like'."):
        owner.image.list("/images", "images", name="like:x")
