"""Cinder: limits of projects; and what the cloud has for volumes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.clouds import Account, Json, RefusedError, wait
from tests.contract.conftest import Contractor
from tests.contract.storage import Name, Volumes
from tests.contract.wording import refused

#: Of projects of whom nothing was said, those for each type aside.
DEFAULTS = {
    "volumes": 10, "per_volume_gigabytes": -1, "snapshots": 10, "gigabytes": 1000, "backups": 10,
    "backup_gigabytes": 1000, "groups": 10,
}  # fmt: skip
BY_TYPE = [f"{what}_{type_}" for type_ in ("lab-nfs", "__DEFAULT__") for what in ("volumes", "gigabytes", "snapshots")]


@pytest.fixture(scope="module")
def poor(contractor: Contractor, name: Name) -> Volumes:
    """Somebody with a volume and a snapshot of it."""
    found = Volumes(contractor.person("limits"), contractor.operator)
    found.snapshot(found.ready(), name=name("limited"))
    return found


@pytest.fixture
def limited(poor: Volumes) -> Iterator[Volumes]:
    """The same, whose limits are as ever afterwards."""
    yield poor
    poor.operator.volume.delete(f"/os-quota-sets/{poor.owner.project_id}")


def limit(of: Volumes, **limits: int) -> Json:
    path = f"/os-quota-sets/{of.owner.project_id}"
    return of.operator.volume.put(path, "quota_set", **limits)


def test_the_defaults(other: Account, operator: Account) -> None:
    for path in (f"/os-quota-sets/{other.project_id}/defaults", f"/os-quota-sets/{other.project_id}"):
        limits = operator.volume.get(path)
        assert limits.pop("id") == other.project_id
        assert {name: limits[name] for name in DEFAULTS} == DEFAULTS
        assert all(limits[name] == -1 for name in limits.keys() - DEFAULTS.keys())
        assert set(BY_TYPE) <= limits.keys()
    assert other.volume.get(f"/os-quota-sets/{other.project_id}")["volumes"] == 10


def test_limits_are_the_administrators(member: Account, other: Account) -> None:
    with refused(403, "Policy doesn't allow volume_extension:quotas:show to be performed."):
        member.volume.get(f"/os-quota-sets/{other.project_id}")
    with refused(403, "Policy doesn't allow volume_extension:quotas:update to be performed."):
        member.volume.put(f"/os-quota-sets/{member.project_id}", "quota_set", volumes=1000)


def test_some_are_set_and_the_others_stay(limited: Volumes) -> None:
    told = limit(limited, volumes=12, **{"gigabytes_lab-nfs": 77})
    assert "id" not in told
    expected = {**DEFAULTS, "volumes": 12}
    assert {name: told[name] for name in DEFAULTS} == expected
    assert (told["gigabytes_lab-nfs"], told["volumes_lab-nfs"]) == (77, -1)
    path = f"/os-quota-sets/{limited.owner.project_id}"
    assert {key: value for key, value in limited.operator.volume.get(path).items() if key != "id"} == told
    assert limited.operator.volume.get(f"{path}/defaults")["volumes"] == 10
    limited.operator.volume.delete(path)
    assert limited.operator.volume.get(path)["volumes"] == 10
    for wrong in (-2, "many"):
        with refused(400):
            limited.operator.volume.put(path, "quota_set", volumes=wrong)


def test_what_is_in_use(poor: Volumes) -> None:
    path = f"/os-quota-sets/{poor.owner.project_id}?usage=True"
    usage = poor.operator.volume.get(path)
    assert usage["volumes"] == {"limit": 10, "in_use": 1, "reserved": 0}
    assert usage["gigabytes"] == {"limit": 1000, "in_use": 2, "reserved": 0}
    assert usage["snapshots_lab-nfs"] == {"limit": -1, "in_use": 1, "reserved": 0}
    assert usage["volumes___DEFAULT__"] == {"limit": -1, "in_use": 0, "reserved": 0}
    absolute = poor.owner.volume.get("/limits")["absolute"]
    assert (absolute["totalVolumesUsed"], absolute["totalGigabytesUsed"], absolute["maxTotalVolumes"]) == (1, 2, 10)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"volumes": 1}, "Maximum number of volumes allowed (1) exceeded for quota 'volumes'."),
        ({"volumes_lab-nfs": 1}, "Maximum number of volumes allowed (1) exceeded for quota 'volumes_lab-nfs'."),
        ({"gigabytes": 2}, "gigabytes quota. Requested 1G, quota is 2G and 2G has been consumed."),
        ({"per_volume_gigabytes": 0}, "Requested volume size 1G is larger than maximum allowed limit 0G."),
    ],
    ids=str,
)
def test_no_volume_beyond_the_limits(limited: Volumes, limits: Json, words: str) -> None:
    limit(limited, **limits)
    with refused(413, words):
        limited.make()


def test_no_snapshot_beyond_the_limits(limited: Volumes) -> None:
    limit(limited, snapshots=1)
    (volume,) = limited.owner.volume.list("/volumes", "volumes")
    with refused(413, "Maximum number of snapshots allowed (1) exceeded"):
        limited.owner.volume.post("/snapshots", "snapshot", volume_id=volume["id"])
    with pytest.raises(RefusedError, match="overLimit"):
        limited.owner.volume.post("/snapshots", "snapshot", volume_id=volume["id"])


def test_nothing_grows_beyond_the_limits(limited: Volumes, name: Name) -> None:
    volume = limited.ready(name=name("grows"))
    limit(limited, gigabytes=3)
    with refused(413):
        limited.act(volume, "os-extend", new_size=2)
    assert limited.show(volume)["status"] == "available"
    limited.gone("volumes", volume)
    path = f"/os-quota-sets/{limited.owner.project_id}?usage=True"
    # what is gone is counted a moment longer
    wait(lambda: limited.operator.volume.get(path), lambda now: now["gigabytes"]["in_use"] == 2, "the count")


def test_the_services(operator: Account, member: Account) -> None:
    services = {one["binary"]: one for one in operator.volume.list("/os-services", "services")}
    assert set(services) == {"cinder-volume", "cinder-scheduler"}
    backend = services["cinder-volume"]
    assert backend["host"].endswith("@nfs1")
    assert (backend["status"], backend["state"], backend["zone"], backend["backend_state"]) == (
        "enabled", "up", "nova", "up",
    )  # fmt: skip
    with refused(403, "Policy doesn't allow volume_extension:services:index to be performed."):
        member.volume.call("GET", "/os-services")


def test_the_pools(operator: Account, member: Account) -> None:
    (brief,) = operator.volume.list("/scheduler-stats/get_pools", "pools")
    (pool,) = operator.volume.list("/scheduler-stats/get_pools", "pools", detail=True)
    assert brief == {"name": pool["name"]}
    capabilities = pool["capabilities"]
    assert (capabilities["volume_backend_name"], capabilities["storage_protocol"]) == ("nfs1", "NFS")
    assert capabilities["free_capacity_gb"] > 0
    assert "multiattach" not in capabilities
    with refused(403, "Policy doesn't allow scheduler_extension:scheduler_stats:get_pools to be performed."):
        member.volume.call("GET", "/scheduler-stats/get_pools")


def test_the_zone(member: Account) -> None:
    assert member.volume.call("GET", "/os-availability-zone").json() == {
        "availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}}]
    }


@pytest.mark.parametrize(("path", "key"), [("/backups/detail", "backups"), ("/groups/detail", "groups")])
def test_what_there_is_none_of(other: Account, path: str, key: str) -> None:
    assert other.volume.call("GET", path).json() == {key: []}
