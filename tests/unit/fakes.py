"""A cloud in memory: it answers as the services' clients do, counts the requests, and refuses on demand.

Resources are dicts in ``cloud.tables[type][id]``, in wire form; states change at once.
"""

from __future__ import annotations

import collections
import copy
import datetime
import itertools
import threading
from types import SimpleNamespace
from typing import Any

from pumphouse.clouds.http import check_change
from pumphouse.clouds.passwords import PasswordRow
from pumphouse.resources.registry import TYPES
from pumphouse.store import Store, database, logbook, models
from pumphouse.tasks.context import Context
from pumphouse.transfer.progress import Progress, UnitProgress
from tests.unit import fake_clients as clients

GIB = 1024**3
PAIR = "source -> destination"
#: Extensions of Neutron that no single field or type asks for.
EXTENSIONS = {"rbac-security-groups", "rbac-address-scope", "rbac-subnetpool", "rbac-address-group"}
#: Types whose wire form shows no id.
WITHOUT_ID = ("volume_type_access", "keypair", "image_member", "flavor_access")
#: Requests that change nothing.
READING = ("get", "list")


class FakeCloud:
    """One of two clouds. What :meth:`as_project` gives shares everything but the project."""

    def __init__(self, role: str = "source") -> None:
        self.role = self.name = role
        self.key = f"http://{role}"
        self.user_id, self.project_id, self.domain_id = f"{role}-me", f"{role}-admin", "default"
        self.roles = [{"id": f"{role}-admin-role", "name": "admin"}]
        self.tables: dict[str, dict[str, Any]] = collections.defaultdict(dict)
        #: (verb, type) of each request, in order.
        self.requests: list[tuple[str, str]] = []
        #: (verb, type) -> what to raise.
        self.refuse: dict[tuple[str, str], Exception] = {}
        #: How many Keystone shows at once.
        self.page = 1000
        #: The status in which a new server ends.
        self.boots_to = "ACTIVE"
        #: The arguments of each server's creation.
        self.booted: list[dict[str, Any]] = []
        self.passwords: FakePasswords | None = None
        self.zones = {"nova"}
        #: Type of quota -> what a project may have that has no limits of its own.
        self.limits: dict[str, dict[str, int]] = {
            "compute_quota": {"instances": 10, "cores": 20},
            "volume_quota": {"volumes": 10, "gigabytes": 1000, "gigabytes_lvm": -1},
            "network_quota": {"network": 100, "port": 500},
        }
        self.newest = (2, 96)
        #: Aliases of Neutron's extensions: all that a field asks for.
        self.extensions = {f.extension for type_ in TYPES.values() for f in type_.fields if f.extension}
        self.extensions |= {getattr(type_, "extension", "") for type_ in TYPES.values()} | EXTENSIONS
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self.access = SimpleNamespace(service_catalog=SimpleNamespace(get_endpoints=dict))

    def put(self, type_: str, id_: str | None = None, **wire: Any) -> dict[str, Any]:
        """Add a resource without a request."""
        with self._lock:
            id_ = id_ or f"{self.role[0]}-{type_}-{next(self._numbers)}"
            if type_ not in WITHOUT_ID:
                wire["id"] = id_
            self.tables[type_][id_] = wire
            return wire

    def holdings(self) -> dict[str, Any]:
        """A copy of all that it holds."""
        return {type_: copy.deepcopy(table) for type_, table in self.tables.items() if table}

    def asked(self, verb: str | None = None, type_: str | None = None) -> int:
        """How many requests of a kind there were."""
        return sum(verb in (None, one) and type_ in (None, other) for one, other in self.requests)

    def changes(self) -> list[tuple[str, str]]:
        """The requests that were not only reading."""
        return [request for request in self.requests if request[0] not in READING]

    def ask(self, verb: str, type_: str) -> None:
        if verb not in READING:
            # As a session does.
            check_change()
        with self._lock:
            self.requests.append((verb, type_))
            if error := self.refuse.get((verb, type_)):
                raise error

    def as_project(self, project_id: str) -> FakeCloud:
        other = copy.copy(self)
        other.project_id = project_id
        return other

    def microversion(self, service: str) -> tuple[int, int]:
        return self.newest

    @property
    def identity(self) -> Any:
        return SimpleNamespace(
            domains=clients.Keystone(self, "domain"),
            projects=clients.Keystone(self, "project"),
            users=clients.Users(self, "user"),
            groups=clients.Groups(self, "group"),
            application_credentials=clients.ApplicationCredentials(self, "application_credential"),
            trusts=clients.Table(self, "trust"),
            inference_rules=clients.InferenceRules(self, "implied_role"),
            roles=clients.Roles(self, "role"),
            role_assignments=clients.Assignments(self, "assignment"),
        )

    def adapter(self, service: str) -> Any:
        assert service == "identity"
        return clients.Credentials(self, "credential")

    @property
    def image(self) -> Any:
        schema = {"properties": {"disk_format": {"enum": ["raw", "qcow2"]}}}
        return SimpleNamespace(
            images=clients.Images(self, "image"),
            image_tags=clients.ImageTags(self, "image"),
            image_members=clients.Members(self, "image_member"),
            schemas=SimpleNamespace(get=lambda _: SimpleNamespace(raw=lambda: schema)),
        )

    @property
    def compute(self) -> Any:
        zones = [SimpleNamespace(zoneName=zone, zoneState={"available": True}) for zone in self.zones]
        return SimpleNamespace(
            flavors=clients.Flavors(self, "flavor"),
            flavor_access=clients.FlavorAccess(self, "flavor_access"),
            keypairs=clients.Keypairs(self, "keypair"),
            quotas=clients.Quotas(self, "compute_quota"),
            instance_action=clients.Actions(self, "action"),
            servers=clients.Servers(self, "server"),
            volumes=clients.Servers(self, "server"),
            server_groups=clients.ServerGroups(self, "server_group"),
            availability_zones=SimpleNamespace(list=lambda detailed: zones),
        )

    @property
    def volume(self) -> Any:
        zones = [SimpleNamespace(zoneName=zone, zoneState={"available": True}) for zone in self.zones]
        return SimpleNamespace(
            volumes=clients.Volumes(self, "volume"),
            volume_types=clients.VolumeTypes(self, "volume_type"),
            volume_type_access=clients.VolumeTypeAccess(self, "volume_type_access"),
            volume_encryption_types=clients.Encryptions(self, "encryption"),
            qos_specs=clients.QosSpecs(self, "qos_spec"),
            pools=clients.Table(self, "pool"),
            quotas=clients.Quotas(self, "volume_quota"),
            volume_snapshots=clients.Snapshots(self, "snapshot"),
            backups=clients.Table(self, "backup"),
            messages=clients.Table(self, "message"),
            availability_zones=SimpleNamespace(list=lambda: zones),
        )

    @property
    def network(self) -> clients.Network:
        return clients.Network(self)


class FakePasswords:
    """The password table of one Keystone: user id -> row."""

    def __init__(self, **rows: str | None) -> None:
        self.rows = {user: PasswordRow(1, hash_) for user, hash_ in rows.items()}
        self.verifies = ("$2b$",)
        #: What ``replace`` raises.
        self.broken: Exception | None = None

    def read(self, user_id: str) -> PasswordRow | None:
        return self.rows.get(user_id)

    def hashes(self, user_ids: list[str]) -> dict[str, PasswordRow]:
        return {user: self.rows[user] for user in user_ids if user in self.rows}

    def why_not(self, hash_: str) -> str | None:
        return None if hash_.startswith(self.verifies) else "a kind that this Keystone does not verify"

    def replace(self, user_id: str, seen: PasswordRow, new_hash: str, like: PasswordRow | None = None) -> bool:
        if self.broken:
            raise self.broken
        if self.rows[user_id] != seen:
            return False
        self.rows[user_id] = PasswordRow(seen.id, new_hash, (like or seen).expires_at)
        return True

    def expire(self, user_id: str, seen: PasswordRow, moment: datetime.datetime) -> bool:
        if self.broken:
            raise self.broken
        self.rows[user_id] = PasswordRow(seen.id, seen.hash, moment)
        return True


def found_cloud(role: str) -> FakeCloud:
    """A cloud with what every cloud has: the Default domain, two roles, and no tenant."""
    cloud = FakeCloud(role)
    cloud.put("domain", f"{role}-default", name="Default")
    for name in ("member", "reader"):
        cloud.put("role", f"{role}-{name}", name=name, domain_id=None)
    cloud.put("volume_type", f"{role}-lvm", name="lvm")
    return cloud


def tenant(cloud: FakeCloud, servers: int = 1) -> dict[str, Any]:
    """A small tenant, "acme": a user, a network, groups that refer to each other, servers with a volume each."""
    domain = f"{cloud.role}-default"
    project = cloud.put("project", "p", name="acme", domain_id=domain, parent_id=domain, enabled=False, tags=[])
    cloud.put("user", "u", name="Zoë", domain_id=domain, default_project_id="p", enabled=True)
    cloud.tables["assignment"]["u/p/r"] = {
        "user": {"id": "u"},
        "role": {"id": f"{cloud.role}-member"},
        "scope": {"project": {"id": "p"}},
    }
    cloud.put(
        "keypair", "u/key", user_id="u", name="key", public_key="ssh-rsa A", type="ssh", fingerprint="md5 of ssh-rsa A"
    )
    cloud.put("flavor", "f", name="small", ram=1, vcpus=1, disk=1, swap="", rxtx_factor=1.0, extra_specs={},
              **{"OS-FLV-EXT-DATA:ephemeral": 0, "os-flavor-access:is_public": True})  # fmt: skip
    cloud.put("network", "n", name="net", project_id="p", admin_state_up=False, tags=[])
    cloud.put("subnet", "s", name="sub", network_id="n", project_id="p", cidr="10.0.0.0/24", gateway_ip=None, tags=[])
    for group, other in (("g1", "g2"), ("g2", "g1")):
        cloud.put("security_group", group, name=group, project_id="p", description="", tags=[])
        cloud.put(
            "security_group_rule", f"r-{group}", security_group_id=group, remote_group_id=other, project_id="p",
            direction="ingress", ethertype="IPv4", protocol=None, port_range_min=None, port_range_max=None,
            remote_ip_prefix=None,
        )  # fmt: skip
    for number in range(1, servers + 1):
        server(cloud, number)
    return project


def server(cloud: FakeCloud, number: int, status: str = "ACTIVE") -> dict[str, Any]:
    """Server "w1" of the tenant, with port "o1" and data volume "v1"."""
    id_, mac = f"w{number}", f"fa:16:3e:00:00:{number:02x}"
    cloud.put(
        "port", f"o{number}", name="", network_id="n", project_id="p", mac_address=mac, device_id=id_,
        device_owner="compute:nova", security_groups=["g1"], created_at="2020", admin_state_up=True, tags=[],
        fixed_ips=[{"subnet_id": "s", "ip_address": f"10.0.0.{number}"}],
    )  # fmt: skip
    attached = {"server_id": id_, "device": "/dev/vdb", "volume_id": f"v{number}"}
    cloud.put(
        "volume", f"v{number}", name="data", size=1, status="in-use", volume_type="lvm", bootable="false",
        volume_type_id=f"{cloud.role}-lvm", attachments=[attached], volume_image_metadata={}, metadata={},
        **{"os-vol-tenant-attr:tenant_id": "p"},
    )  # fmt: skip
    return cloud.put(
        "server", id_, name=f"web-{number}", tenant_id="p", user_id="u", key_name="key", status=status,
        flavor={"id": "f", "disk": 1}, image={"id": "base"}, metadata={"a": ""}, tags=["t"],
        **{
            "os-extended-volumes:volumes_attached": [{"id": f"v{number}", "delete_on_termination": False}],
            "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
            "OS-EXT-SRV-ATTR:hostname": f"web-{number}",
        },
    )  # fmt: skip


def new_store(url: str = "sqlite://") -> Store:
    """An empty store; its tables come from the models, which is quicker than one migration after another."""
    engine = database.make_engine(url)
    models.Base.metadata.create_all(engine)
    logbook.METADATA.create_all(engine)
    return Store(engine)


def new_context(store: Store) -> Context:
    """What the tasks of "unit" work with, between two clouds, the first of which has the tenant."""
    source, destination = found_cloud("source"), found_cloud("destination")
    tenant(source)
    id_ = store.start_migration(PAIR, {}, {}, {}, [("unit", "server", "server web-1", 0)])
    progress = Progress([UnitProgress("unit", "server web-1", 0)])
    return Context(source, destination, store, progress, PAIR, id_, "unit", threading.Event())
