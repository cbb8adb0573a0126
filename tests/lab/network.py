"""The networks' processes: OVN's databases and an Open vSwitch on each host, or Linux bridge agents."""

from __future__ import annotations

from pathlib import Path

from .hosts import inside
from .layout import Cloud
from .openstack import program
from .services import Services

#: Where a host sees its Open vSwitch's database.
VSWITCH = "/run/openvswitch/db.sock"


def start_central(cloud: Cloud, services: Services) -> None:
    """OVN's two databases and its translator; nothing with Linux bridges."""
    if cloud.mechanism != "ovn":
        return
    for name in ("ovnnb", "ovnsb"):
        schema = f"/usr/share/ovn/{name.replace('ovn', 'ovn-')}.ovsschema"
        _database(cloud, services, name, schema, f"{cloud.run}/{name}.sock", [])
    services.start(
        "ovn-northd",
        [
            *("ovn-northd", f"--ovnnb-db=unix:{cloud.run}/ovnnb.sock"),
            *(f"--ovnsb-db=unix:{cloud.run}/ovnsb.sock", f"--unixctl={cloud.run}/ovn-northd.ctl"),
            "-vconsole:warn",
        ],
    )


def start_switch(cloud: Cloud, services: Services, compute: str) -> None:
    """A host's Open vSwitch, in user space, and its OVN controller; nothing with Linux bridges."""
    if cloud.mechanism != "ovn":
        return
    prefix = inside(services, compute)
    schema = "/usr/share/openvswitch/vswitch.ovsschema"
    _database(cloud, services, f"ovs-{compute}", schema, VSWITCH, prefix)
    services.wait((cloud.host(compute) / "openvswitch/db.sock").exists, f"switch database of {compute}")
    identifiers = {
        "system-id": compute,
        "hostname": compute,
        "ovn-encap-type": "geneve",
        "ovn-encap-ip": "127.0.0.1",
        "ovn-bridge-datapath-type": "netdev",
        "ovn-remote": f'"unix:{cloud.run}/ovnsb.sock"',
        "ovn-cms-options": "enable-chassis-as-gw",
        "ovn-monitor-all": "true",
    }
    settings = [f"external_ids:{name}={value}" for name, value in identifiers.items()]
    switch = [*prefix, "ovs-vsctl", "--no-wait", f"--db=unix:{VSWITCH}"]
    services.call([*switch, "init", "--", "set", "Open_vSwitch", ".", *settings])
    common = [f"unix:{VSWITCH}", "--no-chdir", "-vconsole:warn"]
    control = "--unixctl=/run/openvswitch/ovs-vswitchd.ctl"
    services.start(f"vswitchd-{compute}", [*prefix, "ovs-vswitchd", *common, control])
    services.start(f"ovn-controller-{compute}", [*prefix, "ovn-controller", *common])


def start_agents(cloud: Cloud, services: Services) -> None:
    """With Linux bridges: an L2 agent on each host, DHCP and routers on the first."""
    if cloud.mechanism != "linuxbridge":
        return
    for number, compute in enumerate(cloud.computes):
        for agent in ("linuxbridge",) if number else ("linuxbridge", "dhcp", "l3"):
            command = program(cloud, f"neutron-{agent}-agent", f"neutron/{compute}.conf")
            services.start(f"neutron-{agent}-{compute}", [*inside(services, compute), *command])


def _database(cloud: Cloud, services: Services, name: str, schema: str, socket: str, prefix: list[str]) -> None:
    file = str(cloud.state / f"{name}.db")
    if not Path(file).exists():
        services.call(["ovsdb-tool", "create", file, schema])
    services.start(
        f"ovsdb-{name}",
        [
            *(*prefix, "ovsdb-server", file, f"--remote=punix:{socket}", "--no-chdir"),
            *(f"--unixctl={cloud.run}/ovsdb-{name}.ctl", "-vconsole:warn"),
        ],
    )
