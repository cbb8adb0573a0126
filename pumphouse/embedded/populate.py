"""Many more of what is there, at once: for measurements of scale, where making them one by one would take too long."""

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING, Any

from pumphouse.embedded.network.attributes import complete

if TYPE_CHECKING:
    from pumphouse.embedded.cloud import EmbeddedCloud

Json = dict[str, Any]


def more_servers(cloud: EmbeddedCloud, server_id: str, count: int) -> None:
    """So many servers like one that is there, each with ports and volumes of its own."""
    model = cloud.compute.state.servers[server_id]
    for number in range(count):
        _server(cloud, model, f"{model['name']}-{number}")


def more_networks(cloud: EmbeddedCloud, network_id: str, count: int) -> None:
    """So many networks of the same project as one that is there, without subnets."""
    networks = cloud.network.networks
    model = networks.table.rows[network_id]
    for number in range(count):
        networks.make(model["project_id"], complete(networks.known(), {"name": f"{model['name']}-{number}"}))


def _server(cloud: EmbeddedCloud, model: Json, name: str) -> None:
    compute, state = cloud.compute, cloud.compute.state
    server = copy.deepcopy(model)
    server |= {"id": str(uuid.uuid4()), "name": name, "hostname": name, "number": state.number("instances")}
    state.servers[server["id"]] = server
    state.of_project[server["project_id"]][server["id"]] = None
    compute.use(server["project_id"], server["flavor"])
    compute.move_in(server, model["host"])
    past = state.actions[model["id"]]
    state.actions[server["id"]] = [{**action, "instance_uuid": server["id"]} for action in past]
    for card in server["nics"]:
        _port(cloud, server, card)
    for disk in server["disks"]:
        if disk["volume_id"]:
            _volume(cloud, server, disk)


def _port(cloud: EmbeddedCloud, server: Json, card: Json) -> None:
    model = cloud.network.find_port(card["port_id"])
    assert model is not None  # noqa: S101 (the servers' model has it)
    card["port_id"] = cloud.network.make_port(model["project_id"], model["network_id"])["id"]
    cloud.network.bind(card["port_id"], server["id"], server["host"])


def _volume(cloud: EmbeddedCloud, server: Json, disk: Json) -> None:
    model = cloud.volume.find(disk["volume_id"])
    assert model is not None  # noqa: S101 (the servers' model has it)
    made = cloud.volume.make(model["project_id"], model["user_id"], model["size"], name=server["name"])
    disk["volume_id"] = made["id"]
    disk["attachment_id"] = cloud.volume.attach(made["id"], server["id"], disk["device"], server["host"])
    made["status"] = "in-use"
    cloud.compute.state.of_volume[made["id"]] = [server["id"]]
