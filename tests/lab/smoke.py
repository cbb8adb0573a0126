"""Proves that a cloud of the lab works, bytes included: `python -m tests.lab.smoke src|dst`.

Needs openstacksdk only (the lab's own venv has it).  Everything it makes is in a project of its own and is
deleted at the end; after a failure it stays, to be looked at, until the lab is wiped.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import openstack

from .guest import GREETING, SECTOR, boots, guest_image
from .layout import DEFAULT_DIRECTORY

DIRECTORY = Path(os.environ.get("PUMPHOUSE_LAB_DIR") or DEFAULT_DIRECTORY)
FAILED = ("ERROR", "error", "error_deleting", "killed")


class Smoke:
    """One run on one cloud."""

    def __init__(self, cloud: str) -> None:
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(DIRECTORY / "clouds.yaml")
        self.name = f"smoke-{secrets.token_hex(3)}"
        self.cloud = cloud
        self.admin: Any = openstack.connect(cloud=cloud)
        self.user: Any = self.admin
        self.began = self.last = time.monotonic()
        self.raw = guest_image()

    def done(self, what: str) -> None:
        """Tell a proven step with its time."""
        now = time.monotonic()
        print(f"{self.cloud} {now - self.began:6.1f} (+{now - self.last:4.1f})  {what}", flush=True)
        self.last = now

    def run(self) -> None:
        """All steps in order."""
        self.log_in()
        image = self.image()
        flavor = self.admin.compute.create_flavor(name=self.name, ram=64, vcpus=1, disk=1)
        network, port = self.network()
        server = self.server(image, flavor, port)
        volume = self.volume(image)
        self.attach_and_snapshot(server, volume)
        self.upload(volume)
        booted = self.boot_from_volume(volume, flavor, network)
        if self.cloud == "src":
            self.live_migrate(server)
        self.user.compute.stop_server(server)
        self.until(lambda: self.user.compute.get_server(server.id), ["SHUTOFF"])
        self.done("server stopped")
        self.delete([server, booted], volume, flavor)
        print(f"{self.cloud} works", flush=True)

    def until(self, look: Callable[[], Any], states: Iterable[str], seconds: float = 180) -> Any:
        """Poll until the thing is in one of the states; an error state or the deadline ends the run."""
        end = time.monotonic() + seconds
        while True:
            thing = look()
            if thing.status in states and not thing.to_dict().get("task_state"):
                return thing
            if thing.status in FAILED:
                raise SystemExit(f"{thing.id} is in {thing.status}: {thing.to_dict().get('fault')}")
            if time.monotonic() > end:
                raise SystemExit(f"{thing.id} is still in {thing.status} after {seconds:.0f} s")
            time.sleep(0.25)

    def log_in(self) -> None:
        """A project with a member whose password logs in."""
        identity, password = self.admin.identity, secrets.token_hex(8)
        project = identity.create_project(name=self.name, domain_id="default")
        user = identity.create_user(
            name=self.name, password=password, domain_id="default", default_project_id=project.id
        )
        roles = {role.name: role for role in identity.roles()}
        identity.assign_project_role_to_user(project, user, roles["member"])
        auth = {"username": self.name, "password": password, "project_name": self.name}
        domains = {"user_domain_name": "Default", "project_domain_name": "Default"}
        url = self.admin.config.config["auth"]["auth_url"]
        self.user = openstack.connect(
            auth={**auth, **domains, "auth_url": url}, region_name=self.admin.config.region_name
        )
        self.user.authorize()
        self.done("a new user logs in")

    def image(self) -> Any:
        """The guest's disk as an image: up, its hash, and down again."""
        image = self.user.image.create_image(
            self.name,
            data=self.raw,
            disk_format="raw",
            container_format="bare",
            validate_checksum=False,
            visibility="private",
        )
        image = self.user.image.get_image(image.id)
        assert image.hash_value == hashlib.sha512(self.raw).hexdigest(), "wrong hash"
        assert self.user.image.download_image(image).content == self.raw, "other bytes came back"
        self.done("image uploaded and downloaded, its hash is right")
        return image

    def network(self) -> tuple[Any, Any]:
        """A network with IPv4 and IPv6, and a port with an address of each."""
        network = self.user.network.create_network(name=self.name)
        four = self.user.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.55.0.0/24")
        six = self.user.network.create_subnet(
            network_id=network.id,
            ip_version=6,
            cidr="fd55::/64",
            ipv6_address_mode="dhcpv6-stateful",
            ipv6_ra_mode="dhcpv6-stateful",
        )
        wanted = [("10.55.0.77", four.id), ("fd55::77", six.id)]
        addresses = [{"ip_address": address, "subnet_id": subnet} for address, subnet in wanted]
        port = self.user.network.create_port(network_id=network.id, fixed_ips=addresses)
        self.done("network, IPv4 and IPv6 subnets, port")
        return network, port

    def server(self, image: Any, flavor: Any, port: Any) -> Any:
        """A server with a config drive on that port, whose guest says that it has booted."""
        server = self.user.compute.create_server(
            name=self.name,
            image_id=image.id,
            flavor_id=flavor.id,
            networks=[{"port": port.id}],
            config_drive=True,
            user_data=base64.b64encode(b"#!/bin/sh\n").decode(),
        )
        server = self.until(lambda: self.user.compute.get_server(server.id), ["ACTIVE"])
        self.done("server is ACTIVE, with a config drive")
        self.wait_for_boot(server)
        return server

    def wait_for_boot(self, server: Any) -> None:
        """Wait for the guest's greeting on its console."""
        end = time.monotonic() + 30
        while GREETING not in (self.user.compute.get_server_console_output(server)["output"] or ""):
            if time.monotonic() > end:
                raise SystemExit(f"the guest of {server.id} said nothing within 30 s")
            time.sleep(0.25)
        self.done("its guest has booted")

    def volume(self, image: Any) -> Any:
        """A volume with the image's bytes."""
        volume = self.user.block_storage.create_volume(name=self.name, size=1, image_id=image.id)
        volume = self.until(lambda: self.user.block_storage.get_volume(volume.id), ["available"])
        self.done("volume made from the image")
        return volume

    def attach_and_snapshot(self, server: Any, volume: Any) -> None:
        """Attach a volume, snapshot the running server, detach; the snapshot holds image and counter."""

        def state() -> Any:
            return self.user.block_storage.get_volume(volume.id)

        self.user.compute.create_volume_attachment(server, volume_id=volume.id)
        self.until(state, ["in-use"])
        self.done("volume attached")
        image_id = getattr(made := self.user.compute.create_server_image(server, name=self.name), "id", made)
        self.until(lambda: self.user.image.get_image(image_id), ["active"])
        disk = self.disk_of(image_id)
        assert disk[2 * SECTOR :] == self.raw[2 * SECTOR :], "the snapshot holds other bytes"
        assert boots(disk) == 1, f"the guest counted {boots(disk)} boots"
        self.user.image.delete_image(image_id)
        self.done("snapshot of the running server: the image's bytes, and one boot counted")
        # the image is active a moment before Nova lets go of the server
        self.until(lambda: self.user.compute.get_server(server.id), ["ACTIVE"])
        self.user.compute.delete_volume_attachment(server, volume.id)
        self.until(state, ["available"])
        self.done("volume detached")

    def upload(self, volume: Any) -> None:
        """The volume as an image holds the volume's bytes."""
        made = self.user.block_storage.upload_volume_to_image(
            volume, self.name, disk_format="qcow2", container_format="bare"
        )
        self.until(lambda: self.user.image.get_image(made["image_id"]), ["active"])
        assert self.disk_of(made["image_id"]) == self.raw, "the uploaded volume holds other bytes"
        self.user.image.delete_image(made["image_id"])
        self.until(lambda: self.user.block_storage.get_volume(volume.id), ["available"])
        self.done("volume uploaded as qcow2, the same bytes in it")

    def disk_of(self, image_id: str) -> bytes:
        """The disk in an image, as long as the guest's."""
        with tempfile.TemporaryDirectory(dir=DIRECTORY) as place:
            packed, plain = Path(place, "packed"), Path(place, "raw")
            packed.write_bytes(self.user.image.download_image(image_id).content)
            subprocess.run(["qemu-img", "convert", "-O", "raw", packed, plain], check=True)
            with plain.open("rb") as disk:
                return disk.read(len(self.raw))

    def boot_from_volume(self, volume: Any, flavor: Any, network: Any) -> Any:
        """A server whose disk is the volume."""
        disk = {
            "boot_index": 0,
            "uuid": volume.id,
            "source_type": "volume",
            "destination_type": "volume",
            "delete_on_termination": False,
        }
        server = self.user.compute.create_server(
            name=f"{self.name}-volume",
            flavor_id=flavor.id,
            networks=[{"uuid": network.id}],
            block_device_mapping=[disk],
        )
        server = self.until(lambda: self.user.compute.get_server(server.id), ["ACTIVE"])
        self.wait_for_boot(server)
        return server

    def live_migrate(self, server: Any) -> None:
        """The server moves to the other host while it runs."""
        before = self.admin.compute.get_server(server.id).compute_host
        self.admin.compute.live_migrate_server(server.id, host=None, block_migration="auto")
        end = time.monotonic() + 60
        while self.admin.compute.get_server(server.id).compute_host == before:
            if time.monotonic() > end:
                raise SystemExit(f"{server.id} did not leave {before} within 60 s")
            time.sleep(0.25)
        self.until(lambda: self.user.compute.get_server(server.id), ["ACTIVE"])
        self.done(f"live-migrated away from {before}")

    def delete(self, servers: list[Any], volume: Any, flavor: Any) -> None:
        """Everything this run made."""
        for server in servers:
            self.user.compute.delete_server(server)
        for server in servers:
            self.user.compute.wait_for_delete(server, interval=0.3, wait=60)
        self.user.block_storage.delete_volume(volume)
        self.user.block_storage.wait_for_delete(volume, interval=0.3, wait=60)
        for image in list(self.user.image.images(owner=self.user.current_project_id)):
            self.user.image.delete_image(image)
        for port in list(self.user.network.ports(project_id=self.user.current_project_id)):
            self.user.network.delete_port(port, ignore_missing=True)
        for network in list(self.user.network.networks(name=self.name)):
            self.user.network.delete_network(network)
        self.admin.compute.delete_flavor(flavor)
        self.admin.identity.delete_user(self.user.current_user_id)
        self.admin.identity.delete_project(self.user.current_project_id)
        self.done("all deleted")


if __name__ == "__main__":
    if sys.argv[1:] not in (["src"], ["dst"]):
        sys.exit("usage: python -m tests.lab.smoke src|dst")
    Smoke(sys.argv[1]).run()
