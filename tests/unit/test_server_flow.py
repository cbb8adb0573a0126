"""The cutover as a whole, on two clouds in memory: wherever it breaks, the source server is as it was before."""

from __future__ import annotations

import base64
import threading

import pytest

from pumphouse.errors import TransferError
from pumphouse.migrations import runner
from pumphouse.planning import Selection, make_plan
from pumphouse.tasks import base, images
from pumphouse.transfer.images import Copied
from pumphouse.transfer.progress import Progress
from tests.unit import fakes
from tests.unit.fake_clients import HttpError


class Site:
    """A tenant, two clouds, and all that is between them."""

    def __init__(self, monkeypatch, servers=2):
        self.source, self.destination = fakes.found_cloud("source"), fakes.found_cloud("destination")
        fakes.tenant(self.source, servers)
        self.store = fakes.new_store()
        #: What to raise when bytes are to be copied.
        self.broken = None
        #: Image id in the source -> what is copied.
        self.moved = []
        monkeypatch.setattr(images, "copy_image", self.copy)
        monkeypatch.setattr(base, "ANEW", (0.0, 0.0))
        monkeypatch.setattr(base, "PAUSES", (0.0, 0.0))
        # TaskFlow's threads end only when they have had nothing to do for a second.
        monkeypatch.setattr("futurist._thread.ThreadWorker.MAX_IDLE_FOR", 0.01)

    def copy(self, source, source_id, destination, destination_id, *, on_bytes, cancelled):
        if self.broken:
            raise self.broken
        image = source.tables["image"][source_id]
        destination.tables["image"][destination_id].update(status="active", size=image["size"])
        self.moved.append((image["name"], destination_id))
        on_bytes(image["size"])
        return Copied(image["size"], "ab" * 64, "ab" * 64, "ab" * 64, 0.1)

    def migrate(self, **chosen):
        selection = Selection(**chosen or {"tenant": "acme"})
        plan = make_plan(self.source, self.destination, self.store, selection, lambda _: None)
        assert plan.count("conflict") == 0
        self.id = runner.run(
            self.source,
            self.destination,
            self.store,
            plan,
            concurrency=2,
            progress=Progress(),
            stop=threading.Event(),
        )
        self.units = {row.name: row for row in self.store.units(self.id)}
        return self.store.migration(self.id).state

    def there(self, type_):
        return list(self.destination.tables[type_].values())

    def power(self, id_="w1"):
        return self.source.tables["server"][id_]["status"]

    def assert_nothing_is_left_over(self):
        assert self.store.temporaries() == []
        for cloud in (self.source, self.destination):
            names = [thing.get("name") or "" for table in cloud.tables.values() for thing in table.values()]
            assert not [name for name in names if name.startswith("pumphouse-")]
            assert not [key for key in cloud.tables["assignment"] if key.startswith(cloud.user_id)]
            assert not [key for key in cloud.tables["keypair"] if key.startswith(cloud.user_id)]


@pytest.fixture
def site(monkeypatch):
    site = Site(monkeypatch)
    yield site
    site.store.close()


def test_a_tenant_moves(site):
    before = site.source.holdings()
    assert site.migrate() == "done", [(row.name, row.error) for row in site.units.values()]
    assert {server["name"]: server["status"] for server in site.there("server")} == {
        "web-1": "ACTIVE",
        "web-2": "ACTIVE",
    }
    assert {one.verdict for one in site.store.results(site.id)} <= {"equal", "mapped"}
    site.assert_nothing_is_left_over()
    # Of the source nothing is changed but that its servers are off.
    for server in before["server"].values():
        server["status"] = "SHUTOFF"
    assert site.source.holdings() == before


def test_a_server_is_made_in_its_project_from_its_own_disks_and_ports(site):
    site.migrate(servers=["w1"])
    (booted,) = site.destination.booted
    (server,) = site.there("server")
    (port,) = site.there("port")
    (volume,) = site.there("volume")
    (project,) = site.there("project")
    assert server["tenant_id"] == volume["os-vol-tenant-attr:tenant_id"] == port["project_id"] == project["id"]
    assert booted["nics"] == [{"port-id": port["id"]}]
    assert port["mac_address"] == "fa:16:3e:00:00:01"
    assert [ip["ip_address"] for ip in port["fixed_ips"]] == ["10.0.0.1"]
    (disk,) = booted["block_device_mapping_v2"]
    assert (disk["uuid"], disk["device_name"], disk["boot_index"]) == (volume["id"], "/dev/vdb", "-1")
    assert booted["image"] in [there for name, there in site.moved if "root" in name]
    assert booted["key_name"] == "key"
    assert booted["meta"] == {"a": ""}
    assert booted["hostname"] == "web-1"


def test_only_the_server_that_was_asked_for_is_stopped(site):
    site.migrate(servers=["w1"])
    assert (site.power("w1"), site.power("w2")) == ("SHUTOFF", "ACTIVE")


def test_user_data_arrive_as_they_were(site):
    told = base64.b64encode(b"\x00\xff#cloud-config").decode()
    site.source.tables["server"]["w1"]["OS-EXT-SRV-ATTR:user_data"] = told
    site.migrate(servers=["w1"])
    assert site.destination.booted[0]["userdata"] == b"\x00\xff#cloud-config"


def test_the_downtime_is_that_of_the_server_and_none_of_one_that_was_off(site):
    site.source.tables["server"]["w2"]["status"] = "SHUTOFF"
    site.migrate()
    assert 0 < site.units["server:w1"].downtime < 60
    assert not site.units["server:w2"].downtime


def test_a_server_that_was_off_is_off_on_both_sides(site):
    site.source.tables["server"]["w1"]["status"] = "SHUTOFF"
    assert site.migrate(servers=["w1"]) == "done"
    assert site.power() == "SHUTOFF"
    assert [server["status"] for server in site.there("server")] == ["SHUTOFF"]
    assert site.source.asked("start") == site.source.asked("stop") == 0


def test_a_server_that_boots_from_a_volume_has_no_snapshot(site):
    server = site.source.tables["server"]["w1"]
    server.update({"image": "", "OS-EXT-SRV-ATTR:root_device_name": "/dev/vdb"})
    site.source.tables["volume"]["v1"].update(bootable="true", volume_image_metadata={"hw_disk_bus": "scsi"})
    assert site.migrate(servers=["w1"]) == "done"
    assert site.source.asked("snapshot") == 0
    (booted,) = site.destination.booted
    assert booted["image"] is None
    assert booted["block_device_mapping_v2"][0]["boot_index"] == "0"
    (volume,) = site.there("volume")
    assert (volume["bootable"], volume["volume_image_metadata"]) == ("true", {"hw_disk_bus": "scsi"})


def test_a_second_run_changes_nothing(site):
    site.migrate()
    for cloud in (site.source, site.destination):
        cloud.requests.clear()
    assert site.migrate() == "done"
    assert site.source.changes() == site.destination.changes() == []
    assert site.power() == "SHUTOFF"


def test_a_server_that_does_not_boot_is_undone_alone(site, monkeypatch):
    """web-1 ends in ERROR in the destination; web-2 moves."""
    boots = site.destination.compute.servers.__class__

    def create(self, name, *args, **more):
        made = real(self, name, *args, **more)
        if name == "web-1":
            self.wire(made["id"]).update(status="ERROR", fault={"message": "No valid host was found."})
        return made

    real = boots.create
    monkeypatch.setattr(boots, "create", create)
    assert site.migrate() == "failed"
    assert {row.name: row.state for row in site.units.values() if row.state != "done"} == {"server:w1": "failed"}
    assert "No valid host was found." in site.units["server:w1"].error
    assert [server["name"] for server in site.there("server")] == ["web-2"]
    assert [port["mac_address"] for port in site.there("port")] == ["fa:16:3e:00:00:02"]
    assert len(site.there("volume")) == 1
    assert (site.power("w1"), site.power("w2")) == ("ACTIVE", "SHUTOFF")
    site.assert_nothing_is_left_over()


@pytest.mark.parametrize("type_", ["volume", "server"])
def test_what_ends_in_error_is_made_anew(site, monkeypatch, type_):
    """As when Glance is away for a moment."""
    manager = site.destination.volume.volumes if type_ == "volume" else site.destination.compute.servers
    state, made = ("error" if type_ == "volume" else "ERROR"), []

    def create(self, *args, **more):
        thing = real(self, *args, **more)
        made.append(thing["id"])
        if len(made) == 1:
            self.wire(thing["id"])["status"] = state
        return thing

    real = manager.__class__.create
    monkeypatch.setattr(manager.__class__, "create", create)
    assert site.migrate(servers=["w1"]) == "done"
    assert [thing["id"] for thing in site.there(type_)] == made[1:2]
    assert any("ordered anew" in event.text for event in site.store.events(site.id))
    site.assert_nothing_is_left_over()


def test_a_snapshot_that_nova_gives_up_is_taken_anew(site, monkeypatch):
    """Its image stays queued: Nova could not tell Glance."""
    servers, asked = site.source.compute.servers.__class__, []

    def create_image(self, id_, name, **more):
        image = real(self, id_, name, **more)
        asked.append(image)
        if len(asked) == 1:
            self.cloud.tables["image"][image]["status"] = "queued"
        return image

    real = servers.create_image
    monkeypatch.setattr(servers, "create_image", create_image)
    assert site.migrate(servers=["w1"]) == "done"
    assert len(asked) == 2
    site.assert_nothing_is_left_over()


def test_a_volume_is_read_later_when_cinder_does_not_reach_glance(site, monkeypatch):
    """Not in another way: that would not be better."""
    volumes, asked = site.source.volume.volumes.__class__, []

    def upload(self, id_, force, **more):
        asked.append(force)
        if len(asked) == 1:
            raise HttpError(400, "Connection to glance failed: Error finding address for http://c:9292")
        return real(self, id_, force=force, **more)

    real = volumes.upload_to_image
    monkeypatch.setattr(volumes, "upload_to_image", upload)
    assert site.migrate(servers=["w1"]) == "done"
    assert asked == [True, True]
    assert site.source.asked("create", "volume") == 0
    site.assert_nothing_is_left_over()


#: Every request of a cutover that changes something: (cloud, verb, type).
STEPS = [
    ("destination", "create", "port"),
    ("source", "snapshot", "server"),
    ("source", "upload", "volume"),
    ("destination", "create", "image"),
    ("destination", "create", "volume"),
    ("destination", "create", "server"),
]


@pytest.mark.parametrize(
    ("status", "role", "verb", "type_"),
    [("ACTIVE", "source", "stop", "server"), *((status, *step) for step in STEPS for status in ("ACTIVE", "SHUTOFF"))],
)
def test_wherever_a_cutover_breaks_nothing_of_it_remains(site, status, role, verb, type_):
    site.source.tables["server"]["w1"]["status"] = status
    before = site.source.holdings()
    getattr(site, role).refuse[verb, type_] = HttpError(418, "not today")
    assert site.migrate(servers=["w1"]) == "failed"
    assert "not today" in site.units["server:w1"].error
    assert [row.state for name, row in site.units.items() if name != "server:w1"] == ["done"] * (len(site.units) - 1)
    assert site.source.holdings() == before
    assert not {"server", "port", "volume", "image"} & set(site.destination.holdings())
    site.assert_nothing_is_left_over()


def test_bytes_that_do_not_arrive_as_they_left_undo_the_server(site):
    site.broken = TransferError("the sha512 differs")
    assert site.migrate(servers=["w1"]) == "failed"
    assert site.units["server:w1"].error == "the sha512 differs"
    assert site.power() == "ACTIVE"
    assert site.there("server") == site.there("volume") == site.there("port") == site.there("image") == []
    site.assert_nothing_is_left_over()


def test_a_volume_that_may_not_be_read_while_attached_is_read_through_a_clone(site):
    real = site.source.volume.volumes.__class__.upload_to_image

    def upload(self, id_, force, **more):
        if force:
            raise HttpError(403, "not by force")
        return real(self, id_, force=force, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.source.volume.volumes.__class__, "upload_to_image", upload)
        assert site.migrate(servers=["w1"]) == "done"
    assert site.source.asked("create", "volume") == 1
    site.assert_nothing_is_left_over()
    assert site.source.tables["volume"]["v1"]["status"] == "in-use"


@pytest.mark.parametrize("status", ["in-use", "available"])
def test_a_volume_that_can_neither_be_read_nor_cloned_is_read_through_a_snapshot(site, status):
    """Cinder takes the image away again, and finds no backend for the clone."""
    manager = site.source.volume.volumes.__class__
    create, upload = manager.create, manager.upload_to_image
    if status == "available":
        site.source.tables["volume"]["v1"].update(status=status, attachments=[])
        site.source.tables["server"]["w1"]["os-extended-volumes:volumes_attached"] = []

    def made(self, size, **body):
        volume = create(self, size, **body)
        if body.get("source_volid"):
            self.wire(volume["id"])["status"] = "error"
        return volume

    def uploaded(self, id_, force, **body):
        reply = upload(self, id_, force=force, **body)
        if id_ == "v1":
            del self.cloud.tables["image"][reply[1]["os-volume_upload_image"]["image_id"]]
        return reply

    before = site.source.holdings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manager, "create", made)
        patch.setattr(manager, "upload_to_image", uploaded)
        assert site.migrate(**({"servers": ["w1"]} if status == "in-use" else {"volumes": ["v1"]})) == "done"
    assert site.source.asked("create", "snapshot") == 1
    assert len(site.there("volume")) == 1
    assert site.source.holdings()["volume"] == before["volume"]
    assert "snapshot" not in site.source.holdings()
    site.assert_nothing_is_left_over()


def test_a_volume_that_cannot_be_read_for_its_snapshots_says_what_to_do(site, monkeypatch):
    """As on NFS."""
    volumes = site.source.volume.volumes.__class__
    real = volumes.upload_to_image

    def uploaded(self, id_, force, **body):
        assert not [one for one in self.cloud.tables["snapshot"].values() if one["name"] != "monday"], "ours is gone"
        reply = real(self, id_, force=True, **body)
        del self.cloud.tables["image"][reply[1]["os-volume_upload_image"]["image_id"]]
        return reply

    site.source.refuse["create", "volume"] = HttpError(413, "no room")
    monkeypatch.setattr(volumes, "upload_to_image", uploaded)
    site.source.put("snapshot", "theirs", name="monday", volume_id="v1")
    before = site.source.holdings()
    assert site.migrate(servers=["w1"]) == "failed"
    assert "it has snapshots (monday)" in site.units["server:w1"].error
    assert "delete them in the source, and run this again" in site.units["server:w1"].error
    assert site.source.holdings() == before
    site.assert_nothing_is_left_over()


def test_a_detached_volume_is_read_through_a_clone_and_stays_as_it_is(site):
    site.source.tables["volume"]["v1"].update(status="available", attachments=[])
    before = site.source.holdings()["volume"]
    assert site.migrate(volumes=["v1"]) == "done"
    assert site.source.tables["volume"] == before
    (volume,) = site.there("volume")
    assert (volume["name"], volume["size"], volume["status"]) == ("data", 1, "available")
    site.assert_nothing_is_left_over()


def test_an_image_arrives_with_its_bytes_and_its_protection(site):
    site.source.put(
        "image", "i", name="img", owner="p", status="active", size=9, protected=True, visibility="private",
        disk_format="raw", container_format="bare", os_hash_algo="sha512", os_hash_value="x", hw_vif_model="e1000",
        empty="", os_hidden=False,
    )  # fmt: skip
    assert site.migrate(images=["i"]) == "done"
    (image,) = site.there("image")
    assert (image["id"], image["status"], image["protected"]) == ("i", "active", True)
    assert (image["hw_vif_model"], image["empty"], image["os_hidden"]) == ("e1000", "", False)
    (result,) = [one for one in site.store.results(site.id) if one.type == "image"]
    assert result.bytes["source_sha512"] == result.bytes["destination_sha512"] == "ab" * 64


def test_an_image_whose_bytes_fail_is_removed_though_protected(site):
    site.source.put("image", "i", name="img", owner="p", status="active", size=9, protected=True, disk_format="raw")
    site.broken = TransferError("the sha512 differs")
    assert site.migrate(images=["i"]) == "failed"
    assert site.there("image") == []
