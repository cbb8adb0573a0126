"""Small projects, each with what is told of one by one: names that differ, what is taken, what is there already."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pymysql
from sqlalchemy.engine import URL, make_url

from tests.acceptance.clouds import Account, Json, wait
from tests.acceptance.everything.networks import outside
from tests.acceptance.everything.servers import SIZE
from tests.acceptance.tenant.images import GUEST, upload
from tests.acceptance.tenant.model import Tenant
from tests.acceptance.tenant.servers import boot
from tests.acceptance.tenant.volumes import available
from tests.lab.guest import guest_image

#: Outside, of the router whose network has another name in the destination; and taken there by somebody.
GATEWAY, TAKEN = "198.51.100.81", "198.51.100.91"
#: The passwords of the user who is in both clouds.
HERE, THERE = "here é", "there é"


def build(source: Account, destination: Account, database: str, prefix: str) -> Tenant:
    """All of them, in one domain, which the destination has already. ``database``: the source Keystone's."""
    tenant = Tenant(prefix)
    name = tenant.call("@ cases")
    tenant.keep("domain", "own", source.identity.post("/domains", "domain", name=name))
    there = destination.identity.post("/domains", "domain", name=name, description="was here before")
    tenant.notes["domain"] = there["id"]
    tenant.notes["outside"] = {"here": outside(source, tenant.call("@ outside old")),
                               "there": outside(destination, tenant.call("@ outside new"))}  # fmt: skip
    _quiet(source, destination, tenant)
    _troubled(source, destination, tenant)
    _shared(source, make_url(database).set(database="cinder"), tenant)
    _closed(source, tenant)
    return tenant


def _role(cloud: Account, name: str) -> str:
    (found,) = cloud.identity.list("/roles", "roles", name=name)
    return str(found["id"])


def _project(cloud: Account, tenant: Tenant, domain: str, short: str, keep: bool = True) -> Json:
    made = cloud.identity.post("/projects", "project", name=tenant.call(f"@ {short}"), domain_id=domain)
    return tenant.keep("project", short, made) if keep else made


def _quiet(source: Account, destination: Account, tenant: Tenant) -> None:
    """A project without servers: a router, an inherited role, an edited default group, a user who is there."""
    identity, domain = source.identity, tenant.id("domain", "own")
    project = _project(source, tenant, domain, "quiet")["id"]
    user = {"name": tenant.call("@ both"), "description": "here"}
    made = tenant.keep("user", "both", identity.post("/users", "user", domain_id=domain, password=HERE, **user))
    identity.put(f"/projects/{project}/users/{made['id']}/roles/{_role(source, 'member')}")
    reader = _role(source, "reader")
    identity.put(f"/OS-INHERIT/projects/{project}/users/{made['id']}/roles/{reader}/inherited_to_projects")
    user["description"] = "there"
    there = destination.identity.post("/users", "user", domain_id=tenant.notes["domain"], password=THERE, **user)
    tenant.notes["both"] = there["id"]
    network = source.network
    net = tenant.keep(
        "network", "quiet", network.post("/networks", "network", name=tenant.call("@ quiet"), project_id=project)
    )
    subnet = network.post("/subnets", "subnet", name=tenant.call("@ quiet"), network_id=net["id"], ip_version=4,
                          cidr="10.76.0.0/24", project_id=project)  # fmt: skip
    gateway = {
        "network_id": tenant.notes["outside"]["here"],
        "external_fixed_ips": [{"ip_address": GATEWAY}],
    }
    router = network.post("/routers", "router", name=tenant.call("@ quiet"), project_id=project,
                          external_gateway_info=gateway)  # fmt: skip
    network.put(f"/routers/{router['id']}/add_router_interface", subnet_id=subnet["id"])
    (group,) = network.list("/security-groups", "security_groups", name="default", project_id=project)
    tenant.keep("security_group", "quiet default", group)
    for rule in group["security_group_rules"]:
        if rule["direction"] == "ingress":
            network.delete(f"/security-group-rules/{rule['id']}")
    network.post("/security-group-rules", "security_group_rule", security_group_id=group["id"], project_id=project,
                 direction="ingress", ethertype="IPv4", protocol="tcp", port_range_min=22, port_range_max=22,
                 remote_ip_prefix="192.0.2.0/24", description="only from the office")  # fmt: skip


def _troubled(source: Account, destination: Account, tenant: Tenant) -> None:
    """A project that cannot move as it is: an address is taken, room for a volume is missing, a flavor differs."""
    project = _project(source, tenant, tenant.id("domain", "own"), "troubled")["id"]
    there = _project(destination, tenant, tenant.notes["domain"], "troubled", keep=False)["id"]
    name = tenant.call("@ outside")
    for cloud, owner in ((source, project), (destination, destination.project_id)):
        taken = {"floating_network_id": outside(cloud, name), "floating_ip_address": TAKEN, "tenant_id": owner}
        cloud.network.post("/floatingips", "floatingip", **taken)
    source.network.post("/networks", "network", name=tenant.call("@ troubled 1"), project_id=project)
    source.identity.put(f"/projects/{project}/users/{tenant.id('user', 'both')}/roles/{_role(source, 'member')}")
    owner = tenant.accounts["troubled"] = source.as_user(tenant.id("user", "both"), HERE, project)
    volume = owner.volume.post("/volumes", "volume", size=1, name=tenant.call("@ volume"))
    available(owner, volume["id"])
    snapshot = owner.volume.post("/snapshots", "snapshot", volume_id=volume["id"], name=tenant.call("@ snapshot"))
    tenant.keep("volume_snapshot", "troubled", snapshot)
    destination.network.put(f"/quotas/{there}", "quota", network=1)
    for cloud, ram in ((source, 64), (destination, 65)):
        fields = {**SIZE, "ram": ram, "name": tenant.call("@ flavor")}
        made = cloud.compute.post("/flavors", "flavor", **fields)
        if cloud is source:
            tenant.keep("flavor", "troubled", made)


def _closed(source: Account, tenant: Tenant) -> None:
    """A disabled project below another one, with a volume of both clouds' usual kind in it."""
    project = _project(source, tenant, tenant.id("domain", "own"), "closed")["id"]
    source.identity.put(f"/projects/{project}/users/{tenant.id('user', 'both')}/roles/{_role(source, 'member')}")
    owner = source.as_user(tenant.id("user", "both"), HERE, project)
    volume = tenant.keep(
        "volume", "closed", owner.volume.post("/volumes", "volume", size=1, name=tenant.call("@ kept"))
    )
    available(owner, volume["id"])
    source.identity.patch(f"/projects/{project}", "project", enabled=False)


def _shared(source: Account, database: URL, tenant: Tenant) -> None:
    """Two servers of the troubled project with one volume between them.

    The lab's volume driver does not offer such volumes, though it could: the flag is set in the database.
    """
    owner, project = tenant.accounts["troubled"], tenant.id("project", "troubled")
    image = upload(owner, guest_image(), "raw", name=tenant.call("@ guest"), min_disk=1, **GUEST)
    volume = tenant.keep(
        "volume", "shared", owner.volume.post("/volumes", "volume", size=1, name=tenant.call("@ shared"))
    )
    available(owner, volume["id"])
    with pymysql.connect(host=database.host, port=database.port or 3306, user=database.username,
                         password=database.password or "", database=database.database) as connection:  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("UPDATE volumes SET multiattach = 1 WHERE id = %s", (volume["id"],))
        connection.commit()
    flavor = source.compute.post("/flavors", "flavor", name=tenant.call("@ small"), **SIZE)
    network = source.network.post("/networks", "network", name=tenant.call("@ troubled 2"), project_id=project)
    source.network.post("/subnets", "subnet", network_id=network["id"], ip_version=4, cidr="10.77.0.0/24",
                        project_id=project)  # fmt: skip
    fields = {
        "imageRef": image["id"],
        "flavorRef": flavor["id"],
        "networks": [{"uuid": network["id"]}],
    }
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(boot, owner, name=tenant.call(f"@ {short}"), **fields) for short in ("one", "two")]
        servers = [job.result() for job in jobs]
    for short, server in zip(("one", "two"), servers, strict=True):
        tenant.keep("server", short, server)
        body = {"volumeId": volume["id"]}
        owner.compute.post(f"/servers/{server['id']}/os-volume_attachments", "volumeAttachment", **body)
        wait(
            lambda server=server: owner.volume.get(f"/volumes/{volume['id']}")["attachments"],
            lambda attachments, server=server: server["id"] in [a["server_id"] for a in attachments],
            f"volume at {server['name']}",
        )
