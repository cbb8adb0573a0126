"""Keystone: roles, what follows from them, and who has which where."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import pytest

from tests.acceptance.clouds import Account, Json, Service
from tests.contract.conftest import Contractor
from tests.contract.wording import refused

Name = Callable[[str], str]


@pytest.fixture(scope="module")
def identity(operator: Account) -> Service:
    """As the administrator."""
    return operator.identity


@dataclasses.dataclass
class Place:
    """A domain with a project, one below it, a user and a group of whom the user is a member."""

    domain: str
    project: str
    child: str
    user: str
    group: str
    #: By name: those that every cloud has, and one of our own.
    roles: dict[str, str]

    def grant(self, identity: Service, path: str) -> None:
        """PUT it: {project}, {user}, {reader} stand for ids."""
        assert identity.call("PUT", self.path(path)).status_code == 204

    def path(self, path: str) -> str:
        """With the ids."""
        return path.format(**{**dataclasses.asdict(self), **self.roles})


@pytest.fixture
def place(identity: Service, name: Name) -> Place:
    """A new one."""
    domain = identity.post("/domains", "domain", name=name("place"))["id"]
    project = identity.post("/projects", "project", name="upper", domain_id=domain)["id"]
    child = identity.post("/projects", "project", name="lower", domain_id=domain, parent_id=project)["id"]
    user = identity.post("/users", "user", name="person", domain_id=domain)["id"]
    group = identity.post("/groups", "group", name="people", domain_id=domain)["id"]
    identity.put(f"/groups/{group}/users/{user}")
    roles = {role["name"]: role["id"] for role in identity.list("/roles", "roles")}
    own = identity.post("/roles", "role", name=name("role"))["id"]
    return Place(domain, project, child, user, group, {**roles, "own": own})


def assignments(identity: Service, **query: str) -> list[Json]:
    """What the list says, without links."""
    found = identity.list("/role_assignments", "role_assignments", **query)
    return [{key: value for key, value in one.items() if key != "links"} for one in found]


def test_roles_of_every_cloud(identity: Service, release: str) -> None:
    roles = {role["name"]: role for role in identity.list("/roles", "roles")}
    usual = {"admin", "member", "reader", "service"} | ({"manager"} if release != "zed" else set())
    assert usual <= set(roles)
    for name in {"admin", "member", "reader"}:
        role = roles[name]
        assert (role["domain_id"], role["description"], role["options"]) == (None, None, {"immutable": True})
    rules = {
        (rule["prior_role"]["name"], implied["name"])
        for rule in identity.call("GET", "/role_inferences").json()["role_inferences"]
        for implied in rule["implies"]
    }
    chain = ["admin", "member", "reader"] if release == "zed" else ["admin", "manager", "member", "reader"]
    assert set(itertools.pairwise(chain)) <= rules


def test_a_new_role(identity: Service, name: Name, operator: Account) -> None:
    given = {"name": name("Prüfer ½"), "cost_centre": "0"}
    made = identity.post("/roles", "role", **given)
    links = {"self": f"{operator.auth_url}/roles/{made['id']}"}
    assert made == {**given, "id": made["id"], "domain_id": None, "description": None, "options": {}, "links": links}
    assert identity.get(f"/roles/{made['id']}") == made
    assert identity.list("/roles", "roles", name=given["name"]) == [made]
    with refused(409, "Conflict occurred attempting to store role - Duplicate entry found with name "):
        identity.post("/roles", "role", name=given["name"])
    changed = identity.patch(f"/roles/{made['id']}", "role", description="d", options={"immutable": True})
    assert changed == {**made, "description": "d", "options": {"immutable": True}}
    for method, change in (("PATCH", {"role": {"description": "e"}}), ("DELETE", None)):
        with refused(403, f"immutable role resource: `{made['id']}."):
            identity.call(method, f"/roles/{made['id']}", json=change)
    identity.patch(f"/roles/{made['id']}", "role", options={"immutable": False})
    assert identity.call("DELETE", f"/roles/{made['id']}").status_code == 204
    with refused(404, f"Could not find role: {made['id']}."):
        identity.get(f"/roles/{made['id']}")


def test_a_role_of_a_domain(identity: Service, place: Place, name: Name, contractor: Contractor) -> None:
    made = identity.post("/roles", "role", name=name("role"), domain_id=place.domain, description="d")
    assert (made["domain_id"], made["description"]) == (place.domain, "d")
    assert identity.list("/roles", "roles", domain_id=place.domain) == [made]
    assert made not in identity.list("/roles", "roles")
    place.grant(identity, f"/projects/{{project}}/users/{{user}}/roles/{made['id']}")
    elsewhere = identity.post("/projects", "project", name=name("elsewhere"), domain_id=contractor.domain)["id"]
    with refused(403, "must be in the same domain as the role"):
        identity.call("PUT", f"/projects/{elsewhere}/users/{place.user}/roles/{made['id']}")
    with refused(400, "Unable to use a domain-specific role in a system assignment."):
        identity.call("PUT", f"/system/users/{place.user}/roles/{made['id']}")


def test_implied_roles(identity: Service, place: Place, name: Name) -> None:
    prior = identity.post("/roles", "role", name=name("prior"), domain_id=place.domain)["id"]
    path = f"/roles/{prior}/implies/{place.roles['own']}"
    answer = identity.call("PUT", path)
    assert answer.status_code == 201
    rule = answer.json()["role_inference"]
    assert (rule["prior_role"]["id"], rule["implies"]["id"]) == (prior, place.roles["own"])
    assert identity.call("GET", path).json() == answer.json()
    (implied,) = identity.call("GET", f"/roles/{prior}/implies").json()["role_inference"]["implies"]
    assert implied == rule["implies"]
    assert identity.call("HEAD", path).status_code == 204
    with refused(409, "Conflict occurred attempting to store implied_role - Duplicate entry."):
        identity.call("PUT", path)
    for prohibited in (place.roles["admin"], prior):
        with refused(403, f"{prohibited} cannot be an implied roles."):
            identity.call("PUT", f"/roles/{place.roles['own']}/implies/{prohibited}")
    assert identity.call("DELETE", path).status_code == 204
    with refused(404, f"{prior} does not imply {place.roles['own']}."):
        identity.call("DELETE", path)


@pytest.mark.parametrize(
    "path",
    ["/projects/{project}/users/{user}/roles", "/projects/{project}/groups/{group}/roles",
     "/domains/{domain}/users/{user}/roles", "/domains/{domain}/groups/{group}/roles",
     "/system/users/{user}/roles", "/system/groups/{group}/roles"],
)  # fmt: skip
def test_giving_and_taking(identity: Service, place: Place, path: str) -> None:
    where, one = place.path(path), f"{place.path(path)}/{place.roles['own']}"
    with refused(404):
        identity.call("HEAD", one)
    for _ in range(2):
        assert identity.call("PUT", one).status_code == 204
    assert identity.call("HEAD", one).status_code == 204
    assert [role["id"] for role in identity.list(where, "roles")] == [place.roles["own"]]
    assert identity.call("DELETE", one).status_code == 204
    with refused(404, f"Could not find role assignment with role: {place.roles['own']}"):
        identity.call("DELETE", one)


@pytest.mark.parametrize(
    ("path", "what"),
    [("/projects/{project}/users/nothing/roles/{own}", "user"),
     ("/projects/{project}/groups/nothing/roles/{own}", "group"),
     ("/projects/nothing/users/{user}/roles/{own}", "project"),
     ("/domains/nothing/users/{user}/roles/{own}", "domain"),
     ("/projects/{project}/users/{user}/roles/nothing", "role")],
)  # fmt: skip
def test_nothing_to_give(identity: Service, place: Place, path: str, what: str) -> None:
    with refused(404, f"Could not find {what}: nothing."):
        identity.call("PUT", place.path(path))


def test_roles_below(identity: Service, place: Place) -> None:
    """Given on a project or a domain, for all that is below it, and not for itself."""
    for where in ("/OS-INHERIT/domains/{domain}/groups/{group}", "/OS-INHERIT/projects/{project}/users/{user}"):
        path = place.path(f"{where}/roles/{{own}}/inherited_to_projects")
        with refused(404):
            identity.call("HEAD", path)
        assert identity.call("PUT", path).status_code == 204
        assert identity.call("HEAD", path).status_code == 204
    below = place.path("/OS-INHERIT/domains/{domain}/groups/{group}/roles/inherited_to_projects")
    assert [role["id"] for role in identity.list(below, "roles")] == [place.roles["own"]]
    assert identity.list(place.path("/domains/{domain}/groups/{group}/roles"), "roles") == []
    role, user = {"id": place.roles["own"]}, {"id": place.user}
    mark = {"OS-INHERIT:inherited_to": "projects"}
    scope = {"project": {"id": place.project}, **mark}
    assert assignments(identity, **{"scope.project.id": place.project}) == [
        {"scope": scope, "user": user, "role": role}
    ]
    assert assignments(identity, **{"scope.domain.id": place.domain}) == [
        {"scope": {"domain": {"id": place.domain}, **mark}, "group": {"id": place.group}, "role": role}
    ]
    effective = {"effective": "true", "user.id": place.user}
    (found,) = assignments(identity, **effective, **{"scope.project.id": place.project})
    assert found == {"scope": scope, "user": user, "role": role}
    found = assignments(identity, **effective, **{"scope.project.id": place.child})
    assert found == [{"scope": {"project": {"id": place.child}, **mark}, "user": user, "role": role}] * 2


def test_the_list_of_assignments(identity: Service, place: Place) -> None:
    place.grant(identity, "/projects/{project}/users/{user}/roles/{member}")
    place.grant(identity, "/projects/{project}/groups/{group}/roles/{own}")
    place.grant(identity, "/domains/{domain}/users/{user}/roles/{reader}")
    place.grant(identity, "/system/users/{user}/roles/{reader}")
    roles, user, group = place.roles, {"id": place.user}, {"id": place.group}
    on_project = {"project": {"id": place.project}}
    as_member = {"scope": on_project, "user": user, "role": {"id": roles["member"]}}
    as_group = {"scope": on_project, "group": group, "role": {"id": roles["own"]}}
    on_domain = {"scope": {"domain": {"id": place.domain}}, "user": user, "role": {"id": roles["reader"]}}
    on_system = {"scope": {"system": {"all": True}}, "user": user, "role": {"id": roles["reader"]}}

    def listed(**query: str) -> list[Json]:
        return sorted(assignments(identity, **query), key=str)

    assert listed(**{"scope.project.id": place.project}) == sorted([as_member, as_group], key=str)
    assert listed(**{"scope.domain.id": place.domain}) == [on_domain]
    assert listed(**{"user.id": place.user}) == sorted([as_member, on_domain, on_system], key=str)
    assert listed(**{"group.id": place.group}) == [as_group]
    assert listed(**{"role.id": roles["own"]}) == [as_group]
    assert listed(**{"scope.system": "all", "user.id": place.user}) == [on_system]
    assert listed(**{"user.id": "nobody"}) == []
    for query in (
        {"user.id": "a", "group.id": "b"},
        {"scope.project.id": "a", "scope.domain.id": "b"},
        {"effective": "true", "group.id": "b"},
    ):
        with refused(400):
            listed(**query)


def test_where_an_assignment_is(identity: Service, place: Place, operator: Account) -> None:
    for path in ("/projects/{project}/users/{user}/roles/{member}", "/domains/{domain}/groups/{group}/roles/{own}",
                 "/OS-INHERIT/projects/{project}/groups/{group}/roles/{own}/inherited_to_projects"):  # fmt: skip
        place.grant(identity, path)
        kind = "domain" if "domains" in path else "project"
        query = {f"scope.{kind}.id": place.path(f"{{{kind}}}")}
        links = [one["links"] for one in identity.list("/role_assignments", "role_assignments", **query)]
        assert {"assignment": f"{operator.auth_url}{place.path(path)}"} in links


def test_assignments_with_names(identity: Service, place: Place) -> None:
    place.grant(identity, "/projects/{project}/users/{user}/roles/{member}")
    (found,) = assignments(identity, **{"scope.project.id": place.project, "include_names": "true"})
    domain = {"id": place.domain, "name": identity.get(f"/domains/{place.domain}")["name"]}
    assert found == {
        "scope": {"project": {"id": place.project, "name": "upper", "domain": domain}},
        "user": {"id": place.user, "name": "person", "domain": domain},
        "role": {"id": place.roles["member"], "name": "member"},
    }


def test_what_comes_of_assignments(identity: Service, place: Place) -> None:
    """Of groups for their members, and of roles for those that follow from them."""
    place.grant(identity, "/projects/{project}/groups/{group}/roles/{member}")
    query = {"scope.project.id": place.project, "effective": "true"}
    found = {(one["user"]["id"], one["role"]["id"]) for one in assignments(identity, **query)}
    assert found == {(place.user, place.roles["member"]), (place.user, place.roles["reader"])}
    links = [one["links"] for one in identity.list("/role_assignments", "role_assignments", **query)]
    assert all("membership" in link for link in links)
    assert sum("prior_role" in link for link in links) == 1
    (project,) = identity.list(f"/users/{place.user}/projects", "projects")
    assert project["id"] == place.project


def test_assignments_go_with_what_they_are_of(identity: Service, place: Place) -> None:
    place.grant(identity, "/projects/{project}/users/{user}/roles/{own}")
    place.grant(identity, "/projects/{project}/groups/{group}/roles/{own}")
    place.grant(identity, "/projects/{child}/users/{user}/roles/{member}")
    identity.call("DELETE", f"/groups/{place.group}")
    (left,) = assignments(identity, **{"scope.project.id": place.project})
    assert left["user"]["id"] == place.user
    identity.call("DELETE", f"/roles/{place.roles['own']}")
    assert assignments(identity, **{"scope.project.id": place.project}) == []
    identity.call("DELETE", f"/users/{place.user}")
    assert assignments(identity, **{"scope.project.id": place.child}) == []


def test_members_give_nothing(member: Account, other: Account, place: Place) -> None:
    grant = f"/projects/{member.project_id}/users/{other.user_id}/roles/{place.roles['reader']}"
    for method, action in (("PUT", "create_grant"), ("DELETE", "revoke_grant")):
        with refused(403, f"identity:{action}."):
            member.identity.call(method, grant)
    with refused(403, "identity:list_grants."):
        member.identity.get(f"/projects/{member.project_id}/users/{member.user_id}/roles")
    with refused(403, "identity:list_role_assignments."):
        member.identity.get(f"/role_assignments?scope.project.id={member.project_id}")
    with refused(403, "identity:create_implied_role."):
        member.identity.call("PUT", f"/roles/{place.roles['own']}/implies/{place.roles['reader']}")
