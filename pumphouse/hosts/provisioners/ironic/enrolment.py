"""How a host of the inventory is described to Ironic: driver, log-on to its BMC, interfaces, ports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pumphouse.hosts.inventory import Host
from pumphouse.hosts.options import Secret
from pumphouse.hosts.power import redfish
from pumphouse.hosts.provisioners.base import ProvisionerError

Json = dict[str, Any]

#: Where a bare Id of a system is found. Ironic wants its path.
SYSTEMS = "/redfish/v1/Systems/"

#: Interfaces of a node that may be chosen: deploy -> deploy_interface.
INTERFACES = ("bios", "boot", "console", "deploy", "firmware", "inspect", "management", "network", "power", "raid",
              "rescue", "storage", "vendor")  # fmt: skip


def driver(host: Host, options: Mapping[str, Any]) -> str:
    """Ironic's hardware type for the host. Raises ProvisionerError where nothing says it."""
    chosen = options["driver"] or (host.bmc.name if host.bmc.name in ("ipmi", "redfish") else None)
    if chosen is None:
        raise ProvisionerError(f"Ironic does not know {host.name}, and cannot log on to a BMC of kind {host.bmc.name}: "
                               "enrol it there, or name provisioner.driver and provisioner.driver_info")  # fmt: skip
    return str(chosen)


def driver_info(host: Host, options: Mapping[str, Any]) -> Json:
    """The log-on to the BMC, and what the inventory says besides: that counts."""
    said = {key: value for key, value in host.bmc.options.items() if value is not None}
    known: Json = {}
    if host.bmc.name == "ipmi":
        known = {
            "ipmi_address": said["address"],
            "ipmi_port": said["port"],
            "ipmi_username": said["username"],
            "ipmi_password": said["password"].reveal(),
            "ipmi_priv_level": said["privilege"].upper(),
        }
        if "kg" in said:
            known["ipmi_hex_kg_key"] = said["kg"].reveal().encode().hex()
    elif host.bmc.name == "redfish":
        known = {
            "redfish_address": redfish.url(said["address"], said.get("port")),
            "redfish_username": said["username"],
            "redfish_password": said["password"].reveal(),
            "redfish_auth_type": said["auth"],
            "redfish_verify_ca": said["verify"],
        }
        if "system" in said:
            known["redfish_system_id"] = said["system"] if "/" in said["system"] else SYSTEMS + said["system"]
    return known | options["driver_info"]


def secrets(host: Host) -> list[str]:
    """What of the host must not be told."""
    return [one.reveal() for one in host.bmc.options.values() if isinstance(one, Secret) and one]


def interfaces(options: Mapping[str, Any]) -> dict[str, str]:
    """The ones that the inventory chooses, as fields of a node. Raises ProvisionerError for names that are none."""
    chosen = options["interfaces"]
    if unknown := sorted(set(chosen) - set(INTERFACES)):
        raise ProvisionerError(f"provisioner.interfaces.{unknown[0]}: there is no such interface; "
                               f"there are {', '.join(INTERFACES)}")  # fmt: skip
    if wrong := [key for key, value in chosen.items() if not isinstance(value, str) or not value]:
        raise ProvisionerError(f"provisioner.interfaces.{wrong[0]} is to be a text, such as direct")
    return {f"{key}_interface": value for key, value in chosen.items()}


def node(host: Host, options: Mapping[str, Any]) -> Json:
    """The body that enrols it. Raises ProvisionerError."""
    return {
        "name": options["node"] or host.name,
        "driver": driver(host, options),
        "driver_info": driver_info(host, options),
        "resource_class": options["resource_class"],
        "properties": options["properties"],
        **interfaces(options),
    }


def port(host: Host, mac: str, node_uuid: str) -> Json:
    """The body for one NIC; the first one boots from the network."""
    return {"node_uuid": node_uuid, "address": mac, "pxe_enabled": mac == host.macs[0]}


def instance_info(host: Host, options: Mapping[str, Any]) -> Json:
    """What is to be deployed."""
    return {"display_name": host.name, **options["instance_info"]}


def configdrive(host: Host, options: Mapping[str, Any]) -> Json | None:
    """What cloud-init finds on the machine; None where the inventory says nothing of it. The name is the host's."""
    said = options["configdrive"]
    if not said:
        return None
    short = host.name.partition(".")[0]
    return {**said, "meta_data": {"name": host.name, "hostname": short, **(said.get("meta_data") or {})}}
