"""Keystone: users, groups and what they have: credentials, application credentials, trusts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.clouds import Account, Json, Service
from tests.contract.conftest import Contractor
from tests.contract.wording import refused

Name = Callable[[str], str]
OPTIONS = {
    "ignore_change_password_upon_first_use": True,
    "ignore_password_expiry": True,
    "ignore_lockout_failure_attempts": True,
    "lock_password": True,
    "ignore_user_inactivity": True,
    "multi_factor_auth_enabled": True,
    "multi_factor_auth_rules": [["password", "totp"], ["password"]],
}


@pytest.fixture(scope="module")
def identity(operator: Account) -> Service:
    """As the administrator."""
    return operator.identity


@pytest.fixture
def user(identity: Service, contractor: Contractor, name: Name) -> Json:
    """A new one."""
    return identity.post("/users", "user", name=name("user"), domain_id=contractor.domain)


@pytest.fixture
def group(identity: Service, contractor: Contractor, name: Name) -> Json:
    """A new one."""
    return identity.post("/groups", "group", name=name("group"), domain_id=contractor.domain)


def test_a_new_user(identity: Service, contractor: Contractor, name: Name, operator: Account) -> None:
    given = {"name": name("Ánna O'Neil"), "domain_id": contractor.domain, "email": "a@example.org", "options": OPTIONS,
             "description": "", "cost_centre": "0", "default_project_id": "f" * 32}  # fmt: skip
    made = identity.post("/users", "user", password="secret", **given)
    links = {"self": f"{operator.auth_url}/users/{made['id']}"}
    assert made == {**given, "id": made["id"], "enabled": True, "password_expires_at": None, "links": links}
    assert identity.get(f"/users/{made['id']}") == made
    assert made in identity.list("/users", "users", domain_id=contractor.domain)
    assert identity.list("/users", "users", name=given["name"]) == [made]
    assert identity.list("/users", "users", domain_id=contractor.domain, enabled="false") == []


def test_a_user_with_little(user: Json) -> None:
    assert set(user) == {"id", "name", "domain_id", "enabled", "password_expires_at", "options", "links"}
    assert (user["enabled"], user["password_expires_at"], user["options"]) == (True, None, {})


def test_names_of_users(identity: Service, user: Json) -> None:
    words = f"Duplicate entry found with name {user['name']} at domain ID {user['domain_id']}."
    with refused(409, f"Conflict occurred attempting to store user - {words}"):
        identity.post("/users", "user", name=user["name"], domain_id=user["domain_id"])
    with refused(404, "Could not find domain: nowhere."):
        identity.post("/users", "user", name="x", domain_id="nowhere")
    with refused(400):
        identity.post("/users", "user", domain_id=user["domain_id"])
    with refused(400):
        identity.post("/users", "user", name="x", domain_id=user["domain_id"], options={"unheard_of": True})
    with refused(400, "User's default project ID cannot be a domain ID: default"):
        identity.post("/users", "user", name="x", domain_id=user["domain_id"], default_project_id="default")


def test_names_are_equal_without_case_and_accents(identity: Service, contractor: Contractor, name: Name) -> None:
    """MySQL compares them so, in every table."""
    called = name("Ánna")
    same = called.replace("Ánna", "aNNA")
    user = identity.post("/users", "user", name=called, domain_id=contractor.domain)
    assert identity.list("/users", "users", name=same) == [user]
    with refused(409):
        identity.post("/users", "user", name=same, domain_id=contractor.domain)
    project = identity.post("/projects", "project", name=called, domain_id=contractor.domain)
    assert identity.list("/projects", "projects", name=same) == [project]
    with refused(409):
        identity.post("/projects", "project", name=same, domain_id=contractor.domain)


def test_changing_a_user(identity: Service, user: Json, name: Name) -> None:
    path, new = f"/users/{user['id']}", name("new")
    changed = identity.patch(path, "user", name=new, email="e", options={"lock_password": True})
    assert (changed["name"], changed["email"], changed["options"]) == (new, "e", {"lock_password": True})
    assert changed["extra"] == {"email": "e"}
    assert "extra" not in identity.get(path)
    assert identity.patch(path, "user", options={"lock_password": None})["options"] == {}
    with refused(400, "Cannot change Domain ID"):
        identity.patch(path, "user", domain_id="default")
    with refused(404, "Could not find user: nobody."):
        identity.patch("/users/nobody", "user", email="e")


def test_a_user_goes(identity: Service, user: Json) -> None:
    path = f"/users/{user['id']}"
    assert identity.call("DELETE", path).status_code == 204
    for method in ("GET", "DELETE"):
        with refused(404, f"Could not find user: {user['id']}."):
            identity.call(method, path)


def test_what_a_user_may_know(member: Account, other: Account) -> None:
    assert member.identity.get(f"/users/{member.user_id}")["id"] == member.user_id
    (project,) = member.identity.list(f"/users/{member.user_id}/projects", "projects")
    assert project["id"] == member.project_id
    assert member.identity.list(f"/users/{member.user_id}/groups", "groups") == []
    for path, action in (("", "get_user"), ("/projects", "list_user_projects"), ("/groups", "list_groups_for_user")):
        with refused(403, f"identity:{action}."):
            member.identity.get(f"/users/{other.user_id}{path}")
    with refused(403, "identity:update_user."):
        member.identity.patch(f"/users/{member.user_id}", "user", email="e")


def test_a_new_group(identity: Service, contractor: Contractor, name: Name, operator: Account) -> None:
    given = {"name": name("people: ☃"), "domain_id": contractor.domain, "cost_centre": "0"}
    made = identity.post("/groups", "group", **given)
    links = {"self": f"{operator.auth_url}/groups/{made['id']}"}
    assert made == {**given, "id": made["id"], "description": "", "links": links}
    assert identity.get(f"/groups/{made['id']}") == made
    assert made in identity.list("/groups", "groups", domain_id=contractor.domain)
    assert identity.list("/groups", "groups", domain_id=contractor.domain, name=given["name"]) == [made]
    assert identity.patch(f"/groups/{made['id']}", "group", description="d") == {**made, "description": "d"}
    with refused(409, f"at domain ID {contractor.domain}."):
        identity.post("/groups", "group", name=given["name"], domain_id=contractor.domain)
    assert identity.call("DELETE", f"/groups/{made['id']}").status_code == 204
    with refused(404, f"Could not find group: {made['id']}."):
        identity.get(f"/groups/{made['id']}")


def test_a_long_list(identity: Service, name: Name, release: str) -> None:
    """2026.1 gives a thousand without saying that there are more, unless pages are asked for."""
    domain = identity.post("/domains", "domain", name=name("domain"))["id"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: identity.post("/groups", "group", name=f"group {n}", domain_id=domain), range(1001)))
    answer = identity.call("GET", f"/groups?domain_id={domain}").json()
    assert len(answer["groups"]) == (1001 if release == "zed" else 1000)
    assert answer["links"]["next"] is None and "truncated" not in answer
    paged = identity.list("/groups", "groups", limit=1000, domain_id=domain)
    assert len({group["id"] for group in paged}) == 1001


def test_members_of_a_group(identity: Service, user: Json, group: Json) -> None:
    path = f"/groups/{group['id']}/users/{user['id']}"
    for _ in range(2):
        assert identity.call("PUT", path).status_code == 204
    assert identity.list(f"/groups/{group['id']}/users", "users") == [user]
    (found,) = identity.list(f"/users/{user['id']}/groups", "groups")
    assert found == {**group, "membership_expires_at": None}
    assert identity.call("HEAD", path).status_code == 204
    assert identity.call("DELETE", path).status_code == 204
    for method in ("GET", "DELETE"):
        with refused(404, f"User '{user['id']}' not found in group '{group['id']}'"):
            identity.call(method, path)
    with refused(404, "Could not find user: nobody."):
        identity.call("PUT", f"/groups/{group['id']}/users/nobody")
    with refused(404, "Could not find group: nothing."):
        identity.call("PUT", f"/groups/nothing/users/{user['id']}")


def test_a_credential(identity: Service, user: Json, operator: Account) -> None:
    given = {"type": "totp", "blob": '{"secret": "é"}', "user_id": user["id"]}
    made = identity.post("/credentials", "credential", **given)
    links = {"self": f"{operator.auth_url}/credentials/{made['id']}"}
    assert made == {**given, "id": made["id"], "project_id": None, "links": links}
    assert identity.get(f"/credentials/{made['id']}") == made
    assert identity.list("/credentials", "credentials", user_id=user["id"]) == [made]
    assert made in identity.list("/credentials", "credentials")
    changed = identity.patch(f"/credentials/{made['id']}", "credential", blob="other")
    assert changed == {**made, "blob": "other"}
    assert identity.call("DELETE", f"/credentials/{made['id']}").status_code == 204
    with refused(404, f"Could not find credential: {made['id']}."):
        identity.get(f"/credentials/{made['id']}")
    with refused(400):
        identity.post("/credentials", "credential", type="totp", user_id=user["id"])


def test_ec2(identity: Service, user: Json, member: Account, operator: Account) -> None:
    path = f"/users/{user['id']}/credentials/OS-EC2"
    made = identity.post(path, tenant_id=member.project_id)
    assert set(made) == {"user_id", "tenant_id", "access", "secret", "trust_id", "links"}
    assert (made["user_id"], made["tenant_id"], made["trust_id"]) == (user["id"], member.project_id, None)
    assert made["links"] == {"self": f"{operator.auth_url}{path}/{made['access']}"}
    assert identity.list(path, "credentials") == [made]
    assert identity.get(f"{path}/{made['access']}") == made
    id_ = hashlib.sha256(made["access"].encode()).hexdigest()
    credential = identity.get(f"/credentials/{id_}")
    assert (credential["type"], credential["project_id"]) == ("ec2", member.project_id)
    blob = {"access": made["access"], "secret": made["secret"], "trust_id": None}
    assert json.loads(credential["blob"]) == blob
    with refused(409, f"Duplicate entry found with ID {id_}."):
        given = {"type": "ec2", "user_id": user["id"], "project_id": member.project_id, "blob": json.dumps(blob)}
        identity.post("/credentials", "credential", **given)
    with refused(404, "Could not find project: nowhere."):
        identity.post(path, tenant_id="nowhere")
    assert identity.call("DELETE", f"{path}/{made['access']}").status_code == 204
    assert identity.list(path, "credentials") == []


def test_ec2_needs_a_project_and_a_key(identity: Service, user: Json, member: Account) -> None:
    given = {"type": "ec2", "user_id": user["id"], "project_id": member.project_id, "blob": "{}"}
    for bad in ({"blob": "{}"}, {"blob": "no json"}, {"project_id": None}):
        with refused(400):
            identity.post("/credentials", "credential", **{**given, **bad})


def test_whose_credentials_one_sees(identity: Service, member: Account, other: Account) -> None:
    given = {"type": "cert", "blob": "x", "user_id": member.user_id}
    made = member.identity.post("/credentials", "credential", **given)
    assert made in member.identity.list("/credentials", "credentials")
    assert made not in other.identity.list("/credentials", "credentials")
    for method, action in (("GET", "get_credential"), ("DELETE", "delete_credential")):
        with refused(403, f"identity:{action}."):
            other.identity.call(method, f"/credentials/{made['id']}")
    with refused(403, "identity:create_credential."):
        other.identity.post("/credentials", "credential", **given)
    assert member.identity.call("DELETE", f"/credentials/{made['id']}").status_code == 204


def test_an_application_credential(identity: Service, member: Account, other: Account, name: Name) -> None:
    path, called = f"/users/{member.user_id}/application_credentials", name("robot")
    made = member.identity.post(path, "application_credential", name=called)
    secret = made.pop("secret")
    assert len(secret) > 40
    assert set(made) == {"id", "name", "description", "user_id", "project_id", "system", "expires_at", "unrestricted",
                         "roles", "links"}  # fmt: skip
    nothing = ("description", "system", "expires_at", "unrestricted")
    assert [made[field] for field in nothing] == [None] * 4
    assert (made["user_id"], made["project_id"]) == (member.user_id, member.project_id)
    assert {role["name"] for role in made["roles"]} == {"member", "reader"}
    for reader in (member.identity, identity):
        assert [one["id"] for one in reader.list(path, "application_credentials")] == [made["id"]]
        assert "secret" not in reader.get(f"{path}/{made['id']}")
    with refused(403, "identity:list_application_credentials."):
        other.identity.get(path)
    with refused(403, "identity:create_application_credential."):
        identity.post(path, "application_credential", name="for somebody else")
    with refused(409, f"Duplicate entry found with name {called}."):
        member.identity.post(path, "application_credential", name=called)
    with refused(400, "Cannot create an application credential with unassigned role"):
        member.identity.post(path, "application_credential", name="x", roles=[{"name": "admin"}])
    assert member.identity.call("DELETE", f"{path}/{made['id']}").status_code == 204
    with refused(404, f"Could not find Application Credential: {made['id']}."):
        member.identity.get(f"{path}/{made['id']}")


def test_a_trust(identity: Service, member: Account, other: Account) -> None:
    given = {"trustor_user_id": member.user_id, "trustee_user_id": other.user_id, "impersonation": True,
             "project_id": member.project_id}  # fmt: skip
    with refused(403, "identity:create_trust."):
        identity.post("/OS-TRUST/trusts", "trust", **given, roles=[{"name": "member"}])
    made = member.identity.post("/OS-TRUST/trusts", "trust", **given, roles=[{"name": "member"}])
    assert [role["name"] for role in made["roles"]] == ["member"]
    assert {name: made[name] for name in given} == given
    brief = {name: value for name, value in made.items() if name not in ("roles", "roles_links")}
    assert brief in identity.list("/OS-TRUST/trusts", "trusts")
    assert member.identity.list("/OS-TRUST/trusts", "trusts", trustor_user_id=member.user_id) == [brief]
    path = f"/OS-TRUST/trusts/{made['id']}"
    assert other.identity.get(path)["id"] == made["id"]
    with refused(403, "identity:delete_trust."):
        other.identity.call("DELETE", path)
    assert member.identity.call("DELETE", path).status_code == 204
    with refused(404, f"Could not find trust: {made['id']}."):
        identity.get(path)
