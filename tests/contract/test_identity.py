"""Keystone: who gets a token, what stands in it, and when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.acceptance.clouds import Account, Json
from tests.contract.conftest import Contractor
from tests.contract.wording import error, refused

Name = Callable[[str], str]


class Keystone:
    """Plain requests for tokens."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, who: Json, scope: Any = None, **methods: Json) -> requests.Response:
        """Ask for a token: with a password, or by the methods that are given."""
        identity: Json = {"methods": list(methods) or ["password"], **(methods or {"password": {"user": who}})}
        auth: Json = {"identity": identity}
        if scope is not None:
            auth["scope"] = scope
        return requests.post(f"{self.url}/auth/tokens", json={"auth": auth}, timeout=60)

    def token(self, who: Json, scope: Any = None, **methods: Json) -> str:
        """The token."""
        answer = self.post(who, scope, **methods)
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"]

    def ask(self, method: str, path: str, token: str | None, subject: str = "", **how: Any) -> requests.Response:
        """A request with a token, about another one."""
        headers = {name: value for name, value in (("X-Auth-Token", token), ("X-Subject-Token", subject)) if value}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=60, **how)


class Person:
    """A user with a password, and a project where they are member."""

    def __init__(self, contractor: Contractor, name: str, **fields: Any) -> None:
        identity = contractor.operator.identity
        self.password = f"{name} pw"
        given = {"name": name, "domain_id": contractor.domain, "password": self.password, **fields}
        self.user = identity.post("/users", "user", **given)
        self.project = identity.post("/projects", "project", name=name, domain_id=contractor.domain)
        (role,) = identity.list("/roles", "roles", name="member")
        identity.put(f"/projects/{self.project['id']}/users/{self.user['id']}/roles/{role['id']}")

    @property
    def who(self) -> Json:
        """For a password."""
        return {"id": self.user["id"], "password": self.password}

    @property
    def scope(self) -> Json:
        """Their project."""
        return {"project": {"id": self.project["id"]}}


@pytest.fixture(scope="module")
def keystone(operator: Account) -> Keystone:
    """Of the cloud."""
    return Keystone(operator.auth_url)


@pytest.fixture
def person(contractor: Contractor, name: Name) -> Person:
    """Somebody new."""
    return Person(contractor, name("person"))


@pytest.fixture(scope="module")
def admin_token(operator: Account) -> str:
    """The administrator's."""
    return str(operator.connection.auth_token)


def soon(look: Callable[[], int], status: int) -> None:
    """It becomes so within a few seconds: real Keystones cache."""
    end = time.monotonic() + 10
    while (seen := look()) != status:
        assert time.monotonic() < end, f"{seen}, not {status}"
        time.sleep(0.5)


def test_versions(keystone: Keystone) -> None:
    one = requests.get(keystone.url, timeout=60)
    assert one.status_code == 200
    version = one.json()["version"]
    assert (version["id"], version["status"]) == ("v3.14", "stable")
    assert version["links"] == [{"rel": "self", "href": f"{keystone.url}/"}]
    every = requests.get(keystone.url.removesuffix("/v3") + "/", timeout=60)
    assert every.status_code == 300
    assert every.json() == {"versions": {"values": [version]}}


def test_token_of_a_project(keystone: Keystone, person: Person, contractor: Contractor) -> None:
    answer = keystone.post(person.who, person.scope)
    assert answer.status_code == 201
    assert answer.headers["X-Subject-Token"]
    token = answer.json()["token"]
    assert set(token) == {"methods", "user", "audit_ids", "expires_at", "issued_at", "project", "is_domain", "roles",
                          "catalog"}  # fmt: skip
    assert token["methods"] == ["password"]
    domain = {"id": contractor.domain, "name": f"{contractor.prefix} domain"}
    name = person.user["name"]
    assert token["user"] == {"domain": domain, "id": person.user["id"], "name": name, "password_expires_at": None}
    assert token["project"] == {"domain": domain, "id": person.project["id"], "name": name}
    assert token["is_domain"] is False
    assert len(token["audit_ids"]) == 1
    assert {role["name"] for role in token["roles"]} == {"member", "reader"}
    assert all(set(role) == {"id", "name"} for role in token["roles"])
    assert token["expires_at"].endswith(".000000Z") and token["issued_at"] < token["expires_at"]


def test_catalogue(keystone: Keystone, person: Person) -> None:
    catalogue = keystone.post(person.who, person.scope).json()["token"]["catalog"]
    names = {entry["type"]: entry["name"] for entry in catalogue}
    assert names == {"identity": "keystone", "image": "glance", "compute": "nova", "network": "neutron",
                     "block-storage": "cinder", "volumev3": "cinderv3", "placement": "placement"}  # fmt: skip
    for entry in catalogue:
        assert set(entry) == {"endpoints", "id", "type", "name"}
        assert {endpoint["interface"] for endpoint in entry["endpoints"]} == {"public", "internal", "admin"}
        for endpoint in entry["endpoints"]:
            assert set(endpoint) == {"id", "interface", "region_id", "url", "region"}
            assert endpoint["region_id"] == endpoint["region"] == "RegionOne"
            assert endpoint["url"].endswith(person.project["id"]) == (entry["name"].startswith("cinder"))


def test_headers(keystone: Keystone, person: Person) -> None:
    answer = keystone.post(person.who)
    assert answer.headers["Vary"] == "X-Auth-Token"
    assert answer.headers["x-openstack-request-id"].startswith("req-")


def test_a_token_says_less_when_asked(keystone: Keystone, person: Person) -> None:
    who = {"password": {"user": person.who}, "methods": ["password"]}
    body = {"auth": {"identity": who, "scope": person.scope}}
    answer = requests.post(f"{keystone.url}/auth/tokens?nocatalog", json=body, timeout=60)
    assert "catalog" not in answer.json()["token"]


def test_login_by_name(keystone: Keystone, person: Person, contractor: Contractor) -> None:
    domain = {"name": f"{contractor.prefix} domain"}
    who = {"name": person.user["name"], "domain": domain, "password": person.password}
    scope = {"project": {"name": person.project["name"], "domain": {"id": contractor.domain}}}
    assert keystone.post(who, scope).json()["token"]["project"]["id"] == person.project["id"]


def test_unscoped(keystone: Keystone, person: Person) -> None:
    token = keystone.post(person.who).json()["token"]
    assert set(token) == {"methods", "user", "audit_ids", "expires_at", "issued_at"}


def test_own_project_without_a_word(keystone: Keystone, operator: Account, person: Person) -> None:
    path = f"/users/{person.user['id']}"
    operator.identity.patch(path, "user", default_project_id=person.project["id"])
    assert keystone.post(person.who).json()["token"]["project"]["id"] == person.project["id"]
    assert "project" not in keystone.post(person.who, "unscoped").json()["token"]


def test_domain_and_system(keystone: Keystone, operator: Account, contractor: Contractor, person: Person) -> None:
    (role,) = operator.identity.list("/roles", "roles", name="reader")
    user = person.user["id"]
    for scope in ({"domain": {"id": contractor.domain}}, {"system": {"all": True}}):
        assert keystone.post(person.who, scope).status_code == 401
    operator.identity.put(f"/domains/{contractor.domain}/users/{user}/roles/{role['id']}")
    operator.identity.put(f"/system/users/{user}/roles/{role['id']}")
    token = keystone.post(person.who, {"domain": {"id": contractor.domain}}).json()["token"]
    assert token["domain"]["id"] == contractor.domain and "project" not in token
    token = keystone.post(person.who, {"system": {"all": True}}).json()["token"]
    assert token["system"] == {"all": True} and [role["name"] for role in token["roles"]] == ["reader"]


def test_wrong_words(keystone: Keystone, person: Person) -> None:
    for who, scope in (
        ({**person.who, "password": "no"}, None),
        ({"id": "nobody", "password": "no"}, None),
        ({"name": "nobody", "domain": {"id": "default"}, "password": "no"}, None),
        (person.who, {"project": {"id": "nowhere"}}),
        (person.who, {"domain": {"id": "nowhere"}}),
    ):
        answer = keystone.post(who, scope)
        assert answer.status_code == 401
        assert error(answer) == "The request you have made requires authentication."
        assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{keystone.url}"'


@pytest.mark.parametrize("body", [{}, {"auth": {}}, {"auth": {"identity": {}}}])
def test_malformed(keystone: Keystone, body: Json) -> None:
    assert requests.post(f"{keystone.url}/auth/tokens", json=body, timeout=60).status_code == 400


def test_without_a_token(keystone: Keystone) -> None:
    for token in (None, "gAAAAAnonsense"):
        answer = keystone.ask("GET", "/users", token)
        assert answer.status_code == 401
        assert error(answer) == "The request you have made requires authentication."


def test_a_token_for_a_token(keystone: Keystone, person: Person) -> None:
    first = keystone.token(person.who)
    answer = keystone.post({}, person.scope, token={"id": first})
    token = answer.json()["token"]
    assert answer.status_code == 201
    assert set(token["methods"]) == {"password", "token"}
    assert len(token["audit_ids"]) == 2
    assert token["project"]["id"] == person.project["id"]


def test_looking_at_tokens(keystone: Keystone, person: Person, member: Account, admin_token: str) -> None:
    token = keystone.token(person.who, person.scope)
    for looker in (token, admin_token):
        answer = keystone.ask("GET", "/auth/tokens", looker, token)
        assert answer.status_code == 200
        assert answer.json()["token"]["user"]["id"] == person.user["id"]
        assert answer.headers["X-Subject-Token"] == token
    stranger = str(member.connection.auth_token)
    assert keystone.ask("GET", "/auth/tokens", stranger, token).status_code == 403
    assert keystone.ask("GET", "/auth/tokens", admin_token, "gAAAAAnonsense").status_code == 404
    assert keystone.ask("GET", "/auth/tokens", admin_token).status_code == 404


def test_taking_a_token_back(keystone: Keystone, person: Person) -> None:
    token, other = keystone.token(person.who, person.scope), keystone.token(person.who)
    assert keystone.ask("DELETE", "/auth/tokens", token, token).status_code == 204
    assert keystone.ask("GET", f"/users/{person.user['id']}", token).status_code == 401
    assert keystone.ask("GET", f"/users/{person.user['id']}", other).status_code == 200


def test_a_disabled_user_is_out(keystone: Keystone, operator: Account, person: Person) -> None:
    path = f"/users/{person.user['id']}"
    token = keystone.token(person.who, person.scope)
    operator.identity.patch(path, "user", enabled=False)
    assert keystone.post(person.who).status_code == 401
    soon(lambda: keystone.ask("GET", path, token).status_code, 401)
    operator.identity.patch(path, "user", enabled=True)
    assert keystone.post(person.who).status_code == 201


def test_a_disabled_project_is_closed(keystone: Keystone, operator: Account, person: Person) -> None:
    path = f"/projects/{person.project['id']}"
    token = keystone.token(person.who, person.scope)
    operator.identity.patch(path, "project", enabled=False)
    assert keystone.post(person.who, person.scope).status_code == 401
    assert keystone.post(person.who).status_code == 201
    soon(lambda: keystone.ask("GET", path, token).status_code, 404)
    operator.identity.patch(path, "project", enabled=True)
    soon(lambda: keystone.ask("GET", path, token).status_code, 200)


def test_who_loses_the_last_role_is_out(keystone: Keystone, operator: Account, person: Person) -> None:
    grants = f"/projects/{person.project['id']}/users/{person.user['id']}/roles"
    token = keystone.token(person.who, person.scope)
    for role in operator.identity.list(grants, "roles"):
        operator.identity.delete(f"{grants}/{role['id']}")
    assert keystone.post(person.who, person.scope).status_code == 401
    soon(lambda: keystone.ask("GET", "/auth/projects", token).status_code, 401)


def test_changing_ones_password(keystone: Keystone, person: Person) -> None:
    path, token = f"/users/{person.user['id']}/password", keystone.token(person.who, person.scope)
    change = {"original_password": "no", "password": "nêw pw"}
    answer = keystone.ask("POST", path, None, json={"user": change})
    assert answer.status_code == 401
    assert error(answer) == "The request you have made requires authentication."
    change["original_password"] = person.password
    assert keystone.ask("POST", path, None, json={"user": change}).status_code == 204
    assert keystone.post(person.who).status_code == 401
    assert keystone.post({**person.who, "password": "nêw pw"}).status_code == 201
    soon(lambda: keystone.ask("GET", "/auth/projects", token).status_code, 401)


def test_a_locked_password(keystone: Keystone, contractor: Contractor, name: Name) -> None:
    person = Person(contractor, name("locked"), options={"lock_password": True})
    change = {"original_password": person.password, "password": "new"}
    answer = keystone.ask("POST", f"/users/{person.user['id']}/password", None, json={"user": change})
    assert answer.status_code == 400
    assert error(answer).startswith("You cannot change your password at this time due to password policy")


def test_the_operator_sets_a_password(keystone: Keystone, operator: Account, person: Person) -> None:
    operator.identity.patch(f"/users/{person.user['id']}", "user", password="set")
    assert keystone.post(person.who).status_code == 401
    assert keystone.post({**person.who, "password": "set"}).status_code == 201


def test_several_factors(keystone: Keystone, contractor: Contractor, name: Name) -> None:
    """Methods that the Keystone does not know, as totp, do not count."""
    person = Person(contractor, name("factors"))
    for rules, status in (([["password", "application_credential"]], 401), ([["password", "totp"]], 201),
                          ([["password", "application_credential"], ["password"]], 201)):  # fmt: skip
        options = {"multi_factor_auth_enabled": True, "multi_factor_auth_rules": rules}
        contractor.operator.identity.patch(f"/users/{person.user['id']}", "user", options=options)
        assert keystone.post(person.who, person.scope).status_code == status


def test_login_with_an_application_credential(keystone: Keystone, person: Person, contractor: Contractor) -> None:
    account = contractor.operator.as_user(person.user["id"], person.password, person.project["id"])
    path = f"/users/{person.user['id']}/application_credentials"
    made = account.identity.post(path, "application_credential", name="robot", roles=[{"name": "reader"}])
    method = {"id": made["id"], "secret": made["secret"]}
    token = keystone.post({}, application_credential=method).json()["token"]
    assert token["methods"] == ["application_credential"]
    assert token["project"]["id"] == person.project["id"]
    assert [role["name"] for role in token["roles"]] == ["reader"]
    assert keystone.post({}, application_credential={**method, "secret": "no"}).status_code == 401


def test_what_one_may_use(keystone: Keystone, person: Person, contractor: Contractor) -> None:
    token = keystone.token(person.who)
    (project,) = keystone.ask("GET", "/auth/projects", token).json()["projects"]
    assert project["id"] == person.project["id"]
    assert keystone.ask("GET", "/auth/domains", token).json()["domains"] == []
    assert keystone.ask("GET", "/auth/system", token).json()["system"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/users"), ("GET", "/projects"), ("GET", "/domains"), ("GET", "/groups"), ("GET", "/roles"),
     ("GET", "/role_assignments"), ("GET", "/role_inferences"), ("GET", "/services"), ("GET", "/endpoints"),
     ("GET", "/OS-TRUST/trusts"), ("POST", "/projects"), ("POST", "/users"), ("POST", "/roles"),
     ("POST", "/domains"), ("POST", "/groups")],
)  # fmt: skip
def test_members_are_no_administrators(member: Account, method: str, path: str) -> None:
    verbs = {"GET": "list", "POST": "create"}
    things = {"/role_inferences": "role_inference_rules", "/OS-TRUST/trusts": "trusts"}.get(path, path[1:])
    action = f"{verbs[method]}_{things if method == 'GET' else things.removesuffix('s')}"
    key = things.removesuffix("s")
    body = {"json": {key: {"name": "no"}}} if method == "POST" else {}
    with refused(403, f"You are not authorized to perform the requested action: identity:{action}."):
        member.identity.call(method, path, **body)
