"""What lives on a host, and how much room it has: by exact names, and as Placement counts."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from keystoneauth1.exceptions import EndpointNotFound, NotFound

from pumphouse.clouds import hypervisors
from pumphouse.clouds.errors import RemedyError
from pumphouse.clouds.hypervisors import Room


def thing(**wire):
    return SimpleNamespace(to_dict=lambda: wire, **{key: value for key, value in wire.items() if key.isidentifier()})


class Nova:
    """A source in whose lists more comes than was asked for."""

    def __init__(self):
        self.placement = {}
        self.asked = []
        self.newest = (2, 93)
        servers = [thing(id=f"w-{host}", name=host, **{hypervisors.HOST: host}) for host in ("c1", "c10", "c2")]
        moves = {"w-c2": "c1", "w-c10": "c2"}
        nodes = [
            thing(hypervisor_hostname=f"{name}.example", service={"host": name}, memory_mb=100, memory_mb_used=30)
            for name in ("c1", "c10")
        ]
        services = [thing(id=name, host=name, binary="nova-compute") for name in ("c1", "c10")]

        def change(verb):
            return lambda *given: self.asked.append((verb, *given))

        self.compute = SimpleNamespace(
            servers=SimpleNamespace(list=lambda **_: servers),
            migrations=SimpleNamespace(
                list=lambda instance_uuid: [thing(status="finished", source_compute=moves.get(instance_uuid))]
            ),
            hypervisors=SimpleNamespace(list=lambda detailed: nodes),
            services=SimpleNamespace(
                list=lambda binary: services, enable=change("enable"), disable=change("disable"),
                disable_log_reason=change("disable-log-reason"),
            ),
        )  # fmt: skip

    def compute_at(self, version):
        return self.compute

    def microversion(self, service):
        return self.newest

    def adapter(self, service):
        return SimpleNamespace(get=self.get)

    def get(self, path, params=None):
        answer = self.placement
        if isinstance(answer, Exception):
            raise answer
        if params:
            return SimpleNamespace(json=lambda: {"resource_providers": answer.get("providers", [])})
        return SimpleNamespace(json=lambda: answer[path.rpartition("/")[2]])


@pytest.fixture
def nova():
    return Nova()


def test_only_what_is_on_exactly_this_host_counts(nova):
    assert [one["id"] for one in hypervisors.servers_on(nova, "c1")] == ["w-c1"]
    assert [one["id"] for one in hypervisors.half_moved(nova, "c1")] == ["w-c2"]
    assert hypervisors.service_of(nova, "c") is None
    assert hypervisors.service_of(nova, "c1")["id"] == "c1"


def test_room_is_as_placement_counts_it(nova):
    nova.placement = {
        "providers": [{"name": "other", "uuid": "x"}, {"name": "c1.example", "uuid": "u"}],
        "inventories": {"inventories": {
            "VCPU": {"total": 4, "reserved": 0, "allocation_ratio": 16.0},
            "MEMORY_MB": {"total": 1000, "reserved": 512, "allocation_ratio": 1.5},
            "CUSTOM_THING": {"total": 1, "reserved": 0, "allocation_ratio": 1.0},
        }},
        "usages": {"usages": {"VCPU": 60, "MEMORY_MB": 700}},
    }  # fmt: skip
    assert hypervisors.rooms(nova, ["c1"]) == {"c1": {"VCPU": Room(64, 60), "MEMORY_MB": Room(732, 700)}}


@pytest.mark.parametrize("answer", [EndpointNotFound(), NotFound("no"), {}])
def test_without_placement_only_memory_is_judged(nova, answer):
    nova.placement = answer
    assert hypervisors.rooms(nova) == {host: {"MEMORY_MB": Room(100, 30)} for host in ("c1", "c10")}


def test_a_placement_that_fails_is_no_reason_to_believe_in_room(nova):
    nova.placement = RuntimeError("broken")
    with pytest.raises(RuntimeError):
        hypervisors.rooms(nova)


def test_services_are_changed_in_the_form_that_the_release_has(nova):
    (service, *_) = hypervisors.services(nova)
    hypervisors.disable(nova, service, "why")
    nova.newest = (2, 38)
    hypervisors.disable(nova, service, None)
    hypervisors.enable(nova, service)
    assert nova.asked == [
        ("disable-log-reason", "c1", "why"), ("disable", "c1", "nova-compute"), ("enable", "c1", "nova-compute"),
    ]  # fmt: skip


def test_a_cloud_without_cinder_has_no_volumes_to_move():
    def url(service):
        raise RemedyError("no volume service", "check the catalogue")

    assert hypervisors.volume_services(SimpleNamespace(url=url)) == []


class Placement:
    """A provider with parts, of which only what has no parts itself can be removed."""

    def __init__(self):
        self.parents = {"root": None, "agent": "root", "nic": "agent"}
        self.taken = {"w1": {}, "w2": {}}

    def adapter(self, service):
        assert service == "placement"
        return self

    def get(self, path, params=None, headers=None):
        if path.endswith("/allocations"):
            return SimpleNamespace(json=lambda: {"allocations": self.taken})
        if (params or {}).get("in_tree"):
            assert headers == {"OpenStack-API-Version": "placement 1.14"}
        found = [{"uuid": id_, "name": f"c1-{id_}", "parent_provider_uuid": of} for id_, of in self.parents.items()]
        return SimpleNamespace(json=lambda: {"resource_providers": found})

    def delete(self, path):
        id_ = path.rpartition("/")[2]
        assert id_ not in self.parents.values(), "it has parts"
        del self.parents[id_]


def test_a_provider_goes_with_its_parts():
    cloud = Placement()
    assert hypervisors.provider(cloud, "c1-root") == "root"
    assert hypervisors.provider(cloud, "c1") is None
    assert hypervisors.consumers(cloud, "root") == ["w1", "w2"]
    hypervisors.delete_provider(cloud, "root")
    assert cloud.parents == {}


def test_only_agents_of_exactly_this_host():
    found = [{"id": "a", "host": "c1"}, {"id": "b", "host": "c10"}]
    cloud = SimpleNamespace(network=SimpleNamespace(list=lambda collection, host: found))
    assert [one["id"] for one in hypervisors.agents(cloud, "c1")] == ["a"]
