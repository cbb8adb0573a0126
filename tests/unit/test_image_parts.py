"""Images and what they refer to: kernels, ramdisks, origins, certificates; and images of others."""

from __future__ import annotations

import pytest

from pumphouse.planning import Selection, foreign_images, make_plan
from pumphouse.resources.image.image import Image
from pumphouse.resources.volume.volume import Volume
from pumphouse.tasks.images import CopyTemporaryImage
from tests.unit.test_server_flow import Site


@pytest.fixture
def site(monkeypatch):
    site = Site(monkeypatch, 1)
    yield site
    site.store.close()


def image(site, id_, **wire):
    return site.source.put(
        "image", id_, name=id_, owner="p", status="active", size=9, visibility="private", disk_format="raw",
        container_format="bare", os_hash_algo="sha512", os_hash_value=f"hash of {id_}", os_hidden=False,
        **wire,
    )  # fmt: skip


def plan(site):
    return make_plan(site.source, site.destination, site.store, Selection(tenant="acme"), lambda _: None)


def there(site, name):
    (found,) = [one for one in site.there("image") if one["name"] == name]
    return found


def test_an_image_comes_after_its_parts_and_names_them_as_they_are_called_there(site):
    image(site, "machine", kernel_id="kernel", ramdisk_id="ramdisk")
    image(site, "kernel")
    image(site, "ramdisk")
    # That id was given away once.
    site.destination.put("image", "kernel", name="somebody else's", status="active", owner="x")
    assert site.migrate(images=["machine"]) == "done", [
        field for row in site.store.results(site.id) for field in row.fields if field["verdict"] == "differs"
    ]
    machine = there(site, "machine")
    assert machine["ramdisk_id"] == "ramdisk"
    assert machine["kernel_id"] == there(site, "kernel")["id"] != "kernel"
    fields = next(row.fields for row in site.store.results(site.id) if row.source_id == "machine")
    verdicts = {field["field"]: field["verdict"] for field in fields}
    assert (verdicts["kernel_id"], verdicts["ramdisk_id"]) == ("mapped", "equal")
    assert len([one for one in site.moved if one[0] in ("machine", "kernel", "ramdisk")]) == 3


def test_an_image_without_its_parts_is_carried_and_says_so(site):
    image(site, "machine", kernel_id="gone")
    (item,) = [item for item in plan(site).items if item.id == "machine"]
    assert (item.action, [(loss.field, loss.value) for loss in item.losses]) == ("create", [("image", "gone")])
    assert site.migrate() == "done"
    assert "kernel_id" not in there(site, "machine")


def test_whence_a_snapshot_comes_is_mapped_or_stays_as_text(site):
    image(site, "base")
    told = {"base_image_ref": "base", "instance_uuid": "unknown", "owner_id": "p", "user_id": "nobody"}
    image(site, "snapshot", **told)
    assert site.migrate() == "done", [row.error for row in site.units.values()]
    (project,) = site.there("project")
    snapshot = there(site, "snapshot")
    assert {name: snapshot[name] for name in told} == told | {"owner_id": project["id"]}
    result = next(row for row in site.store.results(site.id) if row.source_id == "snapshot")
    assert result.verdict in ("equal", "mapped")


def test_a_certificate_is_set_only_when_the_bytes_are_there(site):
    signed = {
        "img_signature": "c2ln", "img_signature_certificate_uuid": "cert",
        "img_signature_hash_method": "SHA-256", "img_signature_key_type": "RSA-PSS",
    }  # fmt: skip
    source = image(site, "signed", **signed)
    assert "img_signature_certificate_uuid" not in Image().body(Image().translate(source, lambda *_: None))
    assert ("certificate", "cert") in [loss[:2] for loss in Image().losses(source)]
    assert site.migrate(images=["signed"]) == "done"
    assert {name: there(site, "signed")[name] for name in signed} == signed


def test_a_snapshot_of_volumes_says_that_no_server_can_boot_from_it(site):
    source = image(site, "of-volumes", block_device_mapping="[]]")
    assert [loss[0] for loss in Image().losses(source)] == ["block_device_mapping"]
    assert "block_device_mapping" not in Image().translate(source, lambda *_: None)


def test_a_server_keeps_its_kernel(site):
    image(site, "kernel")
    site.source.tables["server"]["w1"]["OS-EXT-SRV-ATTR:kernel_id"] = "kernel"
    items = {item.key: item for item in plan(site).items}
    assert ("image", "kernel") in items["server", "w1"].needs
    task = CopyTemporaryImage(("server", "w1"), 1, "x", provides="y")

    class Known:
        def lookup(self, type_, id_):
            return {"image": "K", "project": "P"}[type_]

    assert task._part(Known(), "image", "kernel") == "K"
    assert task._part(Known(), "project", "p") is None


def test_images_of_others_are_named_and_stay(site, monkeypatch):
    site.source.put("project", "q", name="other", domain_id="source-default", parent_id="source-default")
    for id_, status in (("a", "accepted"), ("b", "rejected"), ("c", "pending")):
        site.source.put("image", id_, name=f"img {id_}", owner="q", status="active", size=3, visibility="shared")
        site.source.put("image_member", f"{id_}/p", image_id=id_, member_id="p", status=status)
    named = {item.id: item for item in plan(site).not_carried if item.type == "shared image"}
    assert set(named) == {"a/p", "c/p"}
    assert "belongs to project other, which shares it (accepted)" in named["a/p"].reason
    assert not [item for item in plan(site).items if item.type == "image"]
    monkeypatch.setattr(foreign_images, "MOST", 2)
    made = plan(site)
    assert not [item for item in made.not_carried if item.type == "shared image"]
    assert [note for note in made.notes if "share images with the tenant" in note]


def test_a_server_whose_image_is_gone_says_so_and_moves(site):
    (item,) = [item for item in plan(site).items if item.type == "server"]
    assert ("original image", "base") in [(loss.field, loss.value) for loss in item.losses]
    image(site, "base")
    (item,) = [item for item in plan(site).items if item.type == "server"]
    assert "original image" not in [loss.field for loss in item.losses]


def test_a_volumes_image_metadata_name_images_as_they_are_called_there():
    ids = {("image", "i"): "I", ("image", "k"): "K"}
    source = {"volume_image_metadata": {"image_id": "i", "kernel_id": "k", "hw_firmware_type": "uefi"}}
    wanted = Volume().translate(source, lambda *key: ids.get(key))
    assert wanted["volume_image_metadata"] == {"image_id": "I", "kernel_id": "K", "hw_firmware_type": "uefi"}
    (verdict,) = Volume().compare(source, wanted, lambda *key: ids.get(key))
    assert verdict.verdict == "equal"
    (verdict,) = Volume().compare(source, source, lambda *key: ids.get(key))
    assert verdict.verdict == "differs"


def test_encrypted_volumes_and_snapshots_say_what_can_be_done(site):
    site.source.tables["volume"]["v1"]["encrypted"] = True
    site.source.put("snapshot", "s", name="snap", **{"os-extended-snapshot-attributes:project_id": "p"})
    made = plan(site)
    (volume,) = [item for item in made.items if item.type == "volume"]
    assert volume.action == "conflict"
    assert "key does not leave the source's key manager" in volume.reason
    (snapshot,) = [item for item in made.not_carried if item.type == "volume snapshot"]
    assert "make a volume from it in the source" in snapshot.reason


def test_community_images_are_found_and_stay_so(site):
    image(site, "everybodys")["visibility"] = "community"
    assert site.migrate() == "done"
    assert there(site, "everybodys")["visibility"] == "community"
