"""Domains, the project, its people, their roles and passwords."""

from __future__ import annotations

from tests.acceptance.clouds import Account
from tests.acceptance.tenant.model import Tenant

#: What a 2022 Keystone cuts off: bcrypt gets the first 54 bytes only (releases 23.0 to 23.1 did so alone).
LONGEST = 54


def build(source: Account, destination: Account, tenant: Tenant) -> None:
    """Two domains, the tenant's project, three people; the neighbour's project on both sides."""
    identity = source.identity
    own = identity.post("/domains", "domain", name=tenant.call("@ Bücher & Söhne / 書店"), description="", enabled=True)
    tenant.keep("domain", "own", own)
    guests = identity.post("/domains", "domain", name=tenant.call("@: Gäste"), description="people from elsewhere")
    tenant.keep("domain", "guests", guests)
    project = identity.post(
        "/projects",
        "project",
        name=tenant.call("""@ "Zoë's" / 日本: 50%"""),
        domain_id=own["id"],
        description="línea 1\nlínea 2; <b>\\",
        tags=[tenant.call("@-étage"), "cost 0"],
        cost_centre="",
    )
    tenant.keep("project", "tenant", project)
    _neighbour(source, destination, tenant)
    tenant.keep("role", "custom", identity.post("/roles", "role", name=tenant.call("@ Prüfer")))
    roles = {role["name"]: role["id"] for role in identity.list("/roles", "roles")}
    _person(source, tenant, "owner", own["id"], tenant.call("@ Ánna O'Neil"), "Pässwört 密码 🔑 '\"\\%s",
            [roles["member"], roles["reader"], tenant.id("role", "custom")],
            email="ánna@example.org", description="", options={"ignore_password_expiry": True})  # fmt: skip
    _robot(tenant)
    _person(source, tenant, "leaver", own["id"], tenant.call("-@ left/us:"),
            "x" * (LONGEST - 2) + "é", [roles["member"]])  # fmt: skip
    _person(source, tenant, "guest", guests["id"], tenant.call("@ Gast ", length=255), "hunter2 ",
            [roles["member"]], default_project_id=None)  # fmt: skip


def _robot(tenant: Tenant) -> None:
    """What no API can move: Keystone never shows an application credential's secret again."""
    owner = tenant.owner
    name = tenant.call("@ robot")
    made = owner.identity.post(f"/users/{owner.user_id}/application_credentials", "application_credential", name=name)
    tenant.keep("application_credential", "robot", made)


def disable(source: Account, tenant: Tenant) -> None:
    """The leaver leaves: what they made stays."""
    source.identity.patch(f"/users/{tenant.id('user', 'leaver')}", "user", enabled=False)


def _neighbour(source: Account, destination: Account, tenant: Tenant) -> None:
    """A project which does not move and has its counterpart already; the tenant shares an image with it."""
    name = tenant.call("@ Nachbar")
    made = source.identity.post("/projects", "project", name=name, domain_id=tenant.id("domain", "guests"))
    tenant.keep("project", "neighbour", made)
    guests = destination.identity.post(
        "/domains", "domain", name=tenant.name("domain", "guests"), description="was here before"
    )
    there = destination.identity.post("/projects", "project", name=name, domain_id=guests["id"])
    tenant.notes["destination"] = {"domain": guests["id"], "neighbour": there["id"]}


def _person(
    source: Account,
    tenant: Tenant,
    short: str,
    domain: str,
    name: str,
    password: str,
    roles: list[str],
    **more: object,
) -> None:
    more.setdefault("default_project_id", tenant.project_id)
    user = source.identity.post("/users", "user", name=name, domain_id=domain, password=password, **more)
    tenant.keep("user", short, user)
    tenant.passwords[user["id"]] = password
    for role in roles:
        source.identity.put(f"/projects/{tenant.project_id}/users/{user['id']}/roles/{role}")
    tenant.accounts[short] = source.as_user(user["id"], password, tenant.project_id)
