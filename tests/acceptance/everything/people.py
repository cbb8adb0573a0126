"""Domains, projects, people, groups and what each may do."""

from __future__ import annotations

from tests.acceptance.clouds import Account, Json
from tests.acceptance.tenant.model import Tenant

#: Options of users that mean something else than their absence.
USER_OPTIONS = {
    "ignore_change_password_upon_first_use": True,
    "ignore_password_expiry": True,
    "ignore_lockout_failure_attempts": True,
    "ignore_user_inactivity": True,
    "lock_password": True,
    "multi_factor_auth_enabled": True,
    "multi_factor_auth_rules": [["password", "totp"], ["password"]],
}


def build(source: Account, tenant: Tenant) -> None:
    """Everything of Keystone's, enabled for now: :func:`close` does the rest."""
    identity = source.identity
    own = tenant.keep("domain", "plain", identity.post("/domains", "domain", name=tenant.call("@ own")))
    shut = tenant.keep(
        "domain", "flipped", identity.post("/domains", "domain", name=tenant.call("@ shut"), description="closed é")
    )
    identity.put(f"/projects/{shut['id']}/tags", tags=[tenant.call("@ old"), "b"])
    project = identity.post("/projects", "project", name=tenant.call("@ tenant"), domain_id=own["id"])
    tenant.keep("project", "plain", project)
    tenant.keep("project", "tenant", project)
    _projects(identity, tenant, own["id"])
    _roles(identity, tenant, own["id"])
    _people(source, tenant)
    _groups(source, tenant)


def close(source: Account, tenant: Tenant) -> None:
    """Disable, and make unchangeable, what is so."""
    identity = source.identity
    identity.patch(f"/users/{tenant.id('user', 'flipped')}", "user", enabled=False)
    # an immutable domain stays so for ever: Keystone refuses to take the option away again
    identity.patch(f"/domains/{tenant.id('domain', 'flipped')}", "domain", enabled=False)
    project = {"enabled": False, "options": {"immutable": True}}
    identity.patch(f"/projects/{tenant.id('project', 'flipped')}", "project", **project)
    identity.patch(f"/roles/{tenant.id('role', 'flipped')}", "role", options={"immutable": True})


def _projects(identity: Account, tenant: Tenant, domain: str) -> None:
    made = identity.post(
        "/projects",
        "project",
        name=tenant.call("@ below"),
        domain_id=domain,
        parent_id=tenant.project_id,
        description='unter "tenant"',
        tags=["b", tenant.call("@ a")],
        cost_centre="0",
    )
    tenant.keep("project", "flipped", made)


def _roles(identity: Account, tenant: Tenant, domain: str) -> None:
    tenant.keep("role", "plain", identity.post("/roles", "role", name=tenant.call("@ plain")))
    flipped = identity.post(
        "/roles", "role", name=tenant.call("@ of the domain"), domain_id=domain, description="Prüfer ½"
    )
    tenant.keep("role", "flipped", flipped)
    prior, implied = flipped["id"], tenant.id("role", "plain")
    identity.put(f"/roles/{prior}/implies/{implied}")
    tenant.ids["implied_role"] = {"flipped": f"{prior}/{implied}"}


def _people(source: Account, tenant: Tenant) -> None:
    identity, own, project = source.identity, tenant.id("domain", "plain"), tenant.project_id
    roles = {role["name"]: role["id"] for role in identity.list("/roles", "roles")}
    _person(source, tenant, "plain", own, [roles["member"]])
    tenant.accounts["owner"] = tenant.accounts["plain"]
    _person(source, tenant, "flipped", tenant.id("domain", "flipped"), [roles["reader"], tenant.id("role", "plain")],
            description="has left; \"q\"", email="ö@example.org", default_project_id=project, cost_centre="0",
            options=USER_OPTIONS)  # fmt: skip
    user = tenant.id("user", "plain")
    identity.put(f"/projects/{project}/users/{user}/roles/{tenant.id('role', 'flipped')}")
    tenant.ids["assignment"] = {"plain": f"{user}/{project}/{roles['member']}"}
    identity.put(f"/OS-INHERIT/projects/{project}/users/{user}/roles/{roles['reader']}/inherited_to_projects")
    tenant.ids["assignment"]["flipped inherited"] = f"{user}/{project}/{roles['reader']}/inherited"
    made = identity.post(f"/users/{user}/credentials/OS-EC2", tenant_id=project)
    tenant.ids["credential"] = {"flipped": made["access"]}


def _groups(source: Account, tenant: Tenant) -> None:
    identity, own, project = source.identity, tenant.id("domain", "plain"), tenant.project_id
    roles = {role["name"]: role["id"] for role in identity.list("/roles", "roles")}
    tenant.keep("group", "plain", identity.post("/groups", "group", name=tenant.call("@ group"), domain_id=own))
    made = identity.post(
        "/groups",
        "group",
        name=tenant.call("@ people: ☃"),
        domain_id=tenant.id("domain", "flipped"),
        description="línea 'q'",
    )
    group = tenant.keep("group", "flipped", made)["id"]
    for short in ("plain", "flipped"):
        identity.put(f"/groups/{group}/users/{tenant.id('user', short)}")
    tenant.ids["membership"] = {"flipped": f"{group}/{tenant.id('user', 'flipped')}"}
    identity.put(f"/projects/{project}/groups/{group}/roles/{roles['reader']}")
    identity.put(f"/projects/{project}/groups/{tenant.id('group', 'plain')}/roles/{roles['reader']}")
    identity.put(f"/domains/{own}/groups/{group}/roles/{tenant.id('role', 'plain')}")
    tenant.ids["assignment"]["flipped group"] = f"{group}/{project}/{roles['reader']}"
    tenant.ids["assignment"]["flipped domain"] = f"{group}/{own}/{tenant.id('role', 'plain')}"


def _person(source: Account, tenant: Tenant, short: str, domain: str, roles: list[str], **more: object) -> Json:
    # Like no name or description, as it is looked for in everything that is written.
    password = f"{tenant.prefix} pässword of {short}"
    name = tenant.call(f"@ {short} user")
    user = source.identity.post("/users", "user", name=name, domain_id=domain, password=password, **more)
    tenant.keep("user", short, user)
    tenant.passwords[user["id"]] = password
    for role in roles:
        source.identity.put(f"/projects/{tenant.project_id}/users/{user['id']}/roles/{role}")
    if short == "plain":
        tenant.accounts[short] = source.as_user(user["id"], password, tenant.project_id)
    return user
