"""Nova: servers' ports, resizing them, and moving them between hosts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.clouds import Account, Json, wait
from tests.acceptance.disks import server_disk
from tests.contract.ground import SIZE, Ground
from tests.contract.wording import refused

INTERFACE = {"net_id", "port_id", "mac_addr", "port_state", "fixed_ips"}


@pytest.fixture(scope="module")
def server(ground: Ground) -> Iterator[Json]:
    """With one port that Nova made."""
    made = ground.boot()
    yield made
    ground.delete(made["id"])


def interfaces(ground: Ground, id_: str, microversion: str = "2.90") -> list[Json]:
    """Of a server."""
    path = f"/servers/{id_}/os-interface"
    return ground.member.compute.call("GET", path, microversion=microversion).json()["interfaceAttachments"]


def test_interfaces(ground: Ground, server: Json) -> None:
    (shown,) = interfaces(ground, server["id"])
    assert set(shown) == INTERFACE | {"tag"}
    assert (shown["net_id"], shown["tag"]) == (ground.network["id"], None)
    assert shown["port_state"] in ("ACTIVE", "DOWN"), "agents take their time"
    port = ground.member.network.get(f"/ports/{shown['port_id']}")
    assert (port["mac_address"], port["fixed_ips"]) == (shown["mac_addr"], shown["fixed_ips"])
    assert set(interfaces(ground, server["id"], "2.69")[0]) == INTERFACE
    assert ground.member.compute.get(f"/servers/{server['id']}/os-interface/{port['id']}") == shown


def test_cards_in_order(ground: Ground) -> None:
    """As asked for: addresses show the networks in that order. Ports that were given stay when the server goes."""
    second = ground.make_network("10.91.0.0/24")
    port = ground.port()
    networks = [{"uuid": second["id"], "fixed_ip": "10.91.0.77"}, {"port": port["id"], "tag": "vorn"}]
    made = ground.boot(networks=networks)
    assert list(made["addresses"]) == [second["name"], ground.network["name"]]
    assert made["addresses"][second["name"]][0]["addr"] == "10.91.0.77"
    tags = {one["net_id"]: one["tag"] for one in interfaces(ground, made["id"])}
    assert tags == {second["id"]: None, ground.network["id"]: "vorn"}
    ground.delete(made["id"])
    left = ground.member.network.get(f"/ports/{port['id']}")
    assert (left["device_id"], left["device_owner"], left["status"]) == ("", "", "DOWN")
    assert ground.member.network.list("/ports", "ports", network_id=second["id"], device_owner="compute:nova") == []
    ground.member.network.delete(f"/ports/{port['id']}")


def test_without_a_network(ground: Ground) -> None:
    made = ground.boot(networks="none")
    assert made["addresses"] == {}
    assert "security_groups" not in made
    assert interfaces(ground, made["id"]) == []
    ground.delete(made["id"])


def test_addresses_that_are_taken(ground: Ground, server: Json) -> None:
    (taken,) = interfaces(ground, server["id"])
    address = taken["fixed_ips"][0]["ip_address"]
    with refused(400, f"Fixed IP address {address} is already in use on instance {server['id']}."):
        ground.post(networks=[{"uuid": ground.network["id"], "fixed_ip": address}])


def test_attach_and_detach(ground: Ground, server: Json) -> None:
    path = f"/servers/{server['id']}/os-interface"
    compute = ground.member.compute
    made = compute.post(path, "interfaceAttachment", net_id=ground.network["id"], tag="zwei")
    assert made["tag"] == "zwei"
    port = ground.port()
    given = compute.post(path, "interfaceAttachment", port_id=port["id"])
    assert given["port_id"] == port["id"]
    with refused(409, f"Port {port['id']} is still in use."):
        compute.post(path, "interfaceAttachment", port_id=port["id"])
    with refused(404, "Port id 6a1f0d4e-0000-4000-8000-000000000000 could not be found."):
        compute.post(path, "interfaceAttachment", port_id="6a1f0d4e-0000-4000-8000-000000000000")
    assert len(interfaces(ground, server["id"])) == 3
    for one in (made, given):
        assert compute.call("DELETE", f"{path}/{one['port_id']}").status_code == 202
    wait(lambda: interfaces(ground, server["id"]), lambda found: len(found) == 1, "detachment")
    assert ground.member.network.find(f"/ports/{made['port_id']}") is None
    assert ground.member.network.get(f"/ports/{port['id']}")["device_id"] == ""
    ground.member.network.delete(f"/ports/{port['id']}")
    with refused(404, f"Port id {port['id']} could not be found."):
        compute.get(f"{path}/{port['id']}")


def test_security_groups(ground: Ground, server: Json) -> None:
    network = ground.member.network
    group = network.post("/security-groups", "security_group", name=ground.name("web: „Üb“"))
    made = ground.boot(security_groups=[{"name": group["name"]}])
    assert made["security_groups"] == [{"name": group["name"]}]
    ground.delete(made["id"])
    ground.act(server["id"], "addSecurityGroup", {"name": group["name"]})
    names = {one["name"] for one in ground.show(server["id"])["security_groups"]}
    assert names == {"default", group["name"]}
    ground.act(server["id"], "removeSecurityGroup", {"name": group["name"]})
    assert ground.show(server["id"])["security_groups"] == [{"name": "default"}]
    network.delete(f"/security-groups/{group['id']}")


# --- other sizes, other hosts


def test_resize_without_a_second_host(ground: Ground, operator: Account, release: str) -> None:
    """It goes to another host, or stays as it is."""
    flavor = operator.compute.post("/flavors", "flavor", name=ground.name("larger"), **{**SIZE, "vcpus": 2, "ram": 96})
    made = ground.boot()
    with refused(400, "When resizing, instances must change flavor!"):
        ground.act(made["id"], "resize", {"flavorRef": ground.flavor["id"]})
    with refused(400, "Flavor nothing could not be found."):
        ground.act(made["id"], "resize", {"flavorRef": "nothing"})
    ground.act(made["id"], "resize", {"flavorRef": flavor["id"]})
    if release == "zed":
        shown = ground.state(made["id"], "VERIFY_RESIZE")
        assert shown["flavor"]["vcpus"] == 2
        ground.act(made["id"], "revertResize")
        shown = ground.state(made["id"], "ACTIVE")
        assert shown["flavor"]["vcpus"] == 1
        ground.act(made["id"], "resize", {"flavorRef": flavor["id"]})
        ground.state(made["id"], "VERIFY_RESIZE")
        answer = ground.member.compute.call("POST", f"/servers/{made['id']}/action", json={"confirmResize": None})
        assert answer.status_code == 204
        shown = ground.state(made["id"], "ACTIVE")
    else:
        shown = ground.state(made["id"], "ACTIVE")
    assert shown["flavor"]["original_name"] == (flavor if release == "zed" else ground.flavor)["name"]
    ground.delete(made["id"])


def test_live_migration(ground: Ground, operator: Account, release: str, server: Json) -> None:
    if release != "zed":
        pytest.skip("this cloud has one host")
    with refused(403, "Policy doesn't allow os_compute_api:os-migrate-server:migrate_live to be performed."):
        ground.act(server["id"], "os-migrateLive", {"host": None, "block_migration": "auto"})
    before = ground.show(server["id"], account=operator)["OS-EXT-SRV-ATTR:host"]
    boots = server_disk(operator, server["id"]).boots
    ground.act(server["id"], "os-migrateLive", {"host": None, "block_migration": "auto"}, account=operator)
    ground.state(server["id"], "ACTIVE")
    after = ground.show(server["id"], account=operator)["OS-EXT-SRV-ATTR:host"]
    assert {before, after} == {"src-c1", "src-c2"}
    assert server_disk(operator, server["id"]).boots == boots
    (move,) = operator.compute.list("/os-migrations", "migrations", instance_uuid=server["id"])
    assert (move["migration_type"], move["status"]) == ("live-migration", "completed")
    assert (move["source_compute"], move["dest_compute"]) == (before, after)
    assert set(move) == {
        "id", "uuid", "instance_uuid", "migration_type", "status", "source_compute", "source_node", "dest_compute",
        "dest_node", "dest_host", "old_instance_type_id", "new_instance_type_id", "created_at", "updated_at", "user_id",
        "project_id",
    }  # fmt: skip
    (port,) = operator.network.list("/ports", "ports", device_id=server["id"])
    assert port["binding:host_id"] == after


def test_evacuation_needs_a_host_that_is_down(ground: Ground, operator: Account, server: Json) -> None:
    with refused(403, "Policy doesn't allow os_compute_api:os-evacuate to be performed."):
        ground.act(server["id"], "evacuate", {})
    with refused(400, "is still in use."):
        ground.act(server["id"], "evacuate", {}, account=operator)
