"""Starting, stopping and forgetting one cloud."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import time
from pathlib import Path

from . import database, hosts, identity, network, openstack, template
from .layout import Cloud
from .services import Services
from .waiting import run


def cloud_services(cloud: Cloud) -> Services:
    """The processes of this cloud."""
    return Services(cloud.name, cloud.run, cloud.log, cloud.environment)


class CloudControl:
    """One cloud, as the lab's commands handle it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.services = cloud_services(cloud)
        #: There once the state is complete: databases, keys, accounts, catalogue.
        self.complete = cloud.state / "complete.json"
        #: There from the moment everything answered until the next stop.
        self.ready = cloud.run / "ready"

    def is_up(self) -> bool:
        """Whether the cloud was brought up and nothing of it has died since."""
        return self.ready.exists() and not self.services.processes.dead()

    def start_base(self) -> None:
        """Start the database and Keystone, on the state there is, on the template, or on nothing."""
        self.ready.unlink(missing_ok=True)
        if self._half_dead():
            self.down()
        if not self.complete.exists():
            # what an interrupted first start has left is of no use
            self.wipe()
        openstack.write_settings(self.cloud)
        self._state_and_keystone()

    def start_rest(self) -> None:
        """Start everything else on that, and wait until it is of use.  The broker must listen by now."""
        hosts.start_shared(self.cloud, self.services)
        network.start_central(self.cloud, self.services)
        for compute in self.cloud.computes:
            hosts.start_host(self.cloud, self.services, compute)
            network.start_switch(self.cloud, self.services, compute)
        openstack.start_control(self.cloud, self.services)
        openstack.wait_for_apis(self.cloud, self.services)
        self.services.say("APIs listen")
        network.start_agents(self.cloud, self.services)
        for compute in self.cloud.computes:
            self._start_nova(compute)
        self._wait_until_usable()
        self.ready.touch()
        self.services.say(f"READY ({self.cloud.release})")

    def _start_nova(self, compute: str) -> None:
        command = openstack.program(self.cloud, "nova-compute", f"nova/{compute}.conf")
        prefix = hosts.inside(self.services, compute)
        self.services.start(f"nova-compute-{compute}", [*prefix, *command])

    def add_compute(self, compute: str) -> None:
        """Start one more compute host, beside the layout's; it is up when Nova says so. It goes with the next stop."""
        grown = dataclasses.replace(self.cloud, computes=(compute,))
        openstack.write_settings(grown)
        hosts.start_host(grown, self.services, compute)
        network.start_switch(grown, self.services, compute)
        self._start_nova(compute)

    def unplug(self, compute: str) -> None:
        """Whatever runs on a compute host ends at once."""
        processes = self.services.processes
        processes.stop([name for name in processes.names() if name.endswith(f"-{compute}")], grace=0)

    def _half_dead(self) -> bool:
        """Whether something died on which others that still run depend."""
        below = {"mariadb", "shared", *map(hosts.holder, self.cloud.computes)}
        return bool(below.intersection(self.services.processes.dead()))

    def _state_and_keystone(self) -> None:
        cloud, services = self.cloud, self.services
        if self.complete.exists() or template.lay(cloud):
            fresh = False
            if not self.complete.exists():
                services.say("laid from the template")
                self._complete()
            database.start(cloud, services)
        else:
            fresh = True
            services.say("making the databases")
            database.initialise(cloud, services)
            database.migrate(cloud, services)
            identity.bootstrap(cloud, services)
        openstack.start_keystone(cloud, services)
        if fresh:
            identity.fill_catalogue(cloud)
            # Keystone stays: it connects again
            database.stop(services)
            template.freeze(cloud)
            services.say("template kept")
            self._complete()
            database.start(cloud, services)

    def _complete(self) -> None:
        self.complete.write_text(json.dumps({"digest": template.digest(self.cloud), "made": time.time()}))

    def _wait_until_usable(self) -> None:
        cloud, services = self.cloud, self.services
        client = identity.Client(cloud)
        client.log_in()
        identity.ensure_volume_type(client)
        services.wait(lambda: self._computes_beat(client), "nova-compute's heartbeat", interval=0.3)
        services.wait(lambda: self._agents_beat(client), "network agents' heartbeat", interval=0.3)
        count = "SELECT COUNT(*) FROM nova_api.host_mappings"
        services.wait(
            lambda: int(database.sql(cloud, services, count)) >= len(cloud.computes),
            "compute hosts' mapping into the cell",
            interval=0.5,
        )

    def _computes_beat(self, client: identity.Client) -> bool:
        """Whether each nova-compute has reported since it was started: an old report counts for 60 s."""
        listed = client.get(f"{self.cloud.url('nova')}/v2.1/os-services?binary=nova-compute")["services"]
        return all(
            any(
                row["host"] == compute
                and row["state"] == "up"
                and (row["updated_at"] or "") >= self._since(f"nova-compute-{compute}")
                for row in listed
            )
            for compute in self.cloud.computes
        )

    def _agents_beat(self, client: identity.Client) -> bool:
        agents = [row for row in client.get(f"{self.cloud.url('neutron')}/v2.0/agents")["agents"] if row["alive"]]
        if self.cloud.mechanism == "ovn":  # whose controllers do not report regularly
            return {row["host"] for row in agents} >= set(self.cloud.computes)
        names = {"Linux bridge agent": "linuxbridge", "DHCP agent": "dhcp", "L3 agent": "l3"}
        beating = {
            record
            for row in agents
            if (record := f"neutron-{names.get(row['agent_type'])}-{row['host']}")
            and row["heartbeat_timestamp"].replace(" ", "T") >= self._since(record)
        }
        started = {name for name in self.services.processes.names() if name.startswith("neutron-")}
        return beating >= started

    def _since(self, name: str) -> str:
        """When this process was started, as the APIs write times; never for one that was not."""
        record = self.services.processes.record(name)
        if record is None:
            return "9999"
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.started))

    def down(self) -> None:
        """Stop everything: the hosts as if unplugged, the database gently and last."""
        self.ready.unlink(missing_ok=True)
        processes = self.services.processes
        names = processes.names()
        machines = [hosts.holder(compute) for compute in self.cloud.computes]
        processes.stop([name for name in names if name in machines], grace=0)
        last = ("mariadb", "shared")
        processes.stop([name for name in names if name not in (*machines, *last)], grace=4)
        database.stop(self.services)
        processes.stop(["shared"])
        self._unmount()

    def _unmount(self) -> None:
        below = f"{self.cloud.root}/"
        points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for point in reversed([point for point in points if point.startswith(below)]):
            run(["umount", "--lazy", point], check=False)

    def wipe(self) -> None:
        """Stop, and forget the state."""
        self.down()
        points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        left = [point for point in points if point.startswith(f"{self.cloud.root}/")]
        if left:
            raise RuntimeError(f"{left[0]} is still mounted")
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.cloud.root)

    def description(self) -> dict[str, object]:
        """What tests want to know about this cloud; it holds secrets."""
        cloud = self.cloud
        return {
            "release": cloud.release,
            "auth_url": cloud.auth_url,
            "identity_database": cloud.database("keystone"),
            "ports": {name: cloud.port(name) for name in openstack.APIS} | {"mariadb": cloud.port("mariadb")},
            "computes": list(cloud.computes),
            "directory": os.fspath(cloud.root),
            "logs": os.fspath(cloud.log),
            #: IMAGE_ID
            "images": os.fspath(cloud.state / "images"),
            #: SERVER_ID/disk, qcow2
            "instances": os.fspath(cloud.state / "disk/instances"),
            #: volume-VOLUME_ID
            "volumes": os.fspath(cloud.state / "disk/volumes"),
            "database_socket": os.fspath(cloud.run / "mysql.sock"),
        }
