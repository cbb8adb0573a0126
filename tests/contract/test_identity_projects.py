"""Keystone: domains, projects and the tree they make."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.clouds import Account, Json, Service
from tests.contract.conftest import Contractor
from tests.contract.wording import refused

Name = Callable[[str], str]
IMMUTABLE = 'Set resource option \\"immutable\\" to false first.'


@pytest.fixture(scope="module")
def identity(operator: Account) -> Service:
    """As the administrator."""
    return operator.identity


@pytest.fixture
def domain(identity: Service, name: Name) -> Json:
    """A new one."""
    return identity.post("/domains", "domain", name=name("domain"))


@pytest.fixture
def project(identity: Service, domain: Json, name: Name) -> Json:
    """At the top of a new domain."""
    return identity.post("/projects", "project", name=name("project"), domain_id=domain["id"])


def below(identity: Service, project: Json, name: str, **more: object) -> Json:
    """One below another."""
    place = {"domain_id": project["domain_id"], "parent_id": project["id"]}
    return identity.post("/projects", "project", name=name, **place, **more)


def test_a_new_domain(identity: Service, name: Name, operator: Account) -> None:
    given = {"name": name("domain @é"), "description": "über", "cost_centre": "7", "tags": ["a"]}
    made = identity.post("/domains", "domain", **given)
    links = {"self": f"{operator.auth_url}/domains/{made['id']}"}
    assert made == {**given, "id": made["id"], "enabled": True, "options": {}, "links": links}
    assert identity.get(f"/domains/{made['id']}") == made
    assert made in identity.list("/domains", "domains")
    assert [made] == identity.list("/domains", "domains", name=given["name"])
    as_project = identity.get(f"/projects/{made['id']}")
    assert (as_project["is_domain"], as_project["domain_id"], as_project["parent_id"]) == (True, None, None)


def test_a_domain_with_little(identity: Service, domain: Json) -> None:
    assert (domain["description"], domain["enabled"], domain["tags"], domain["options"]) == ("", True, [], {})


def test_names_of_domains(identity: Service, domain: Json) -> None:
    words = f"it is not permitted to have two projects acting as domains with the same name: {domain['name']}."
    with refused(409, words):
        identity.post("/domains", "domain", name=domain["name"])
    for bad in ("", "x" * 65, " "):
        with refused(400):
            identity.post("/domains", "domain", name=bad)
    with refused(400):
        identity.post("/domains", "domain", description="no name")


def test_a_domain_goes_when_it_is_disabled(identity: Service, domain: Json, project: Json, name: Name) -> None:
    path = f"/domains/{domain['id']}"
    user = identity.post("/users", "user", name=name("user"), domain_id=domain["id"])
    group = identity.post("/groups", "group", name=name("group"), domain_id=domain["id"])
    child = below(identity, project, name("child"))
    with refused(403, "Cannot delete a domain that is enabled, please disable it first."):
        identity.call("DELETE", path)
    assert identity.patch(path, "domain", enabled=False)["enabled"] is False
    assert identity.call("DELETE", path).status_code == 204
    for gone in (path, f"/users/{user['id']}", f"/groups/{group['id']}", f"/projects/{child['id']}"):
        assert identity.find(gone) is None


def test_a_domain_is_no_project_of_its_api(identity: Service, project: Json) -> None:
    with refused(404, f"Could not find domain: {project['id']}."):
        identity.get(f"/domains/{project['id']}")


def test_a_new_project(identity: Service, domain: Json, name: Name, operator: Account) -> None:
    given = {"name": name('project "1" / é'), "domain_id": domain["id"], "tags": ["a", "b c"], "cost_centre": ""}
    made = identity.post("/projects", "project", **given)
    assert made == {
        **given, "id": made["id"], "description": "", "enabled": True, "parent_id": domain["id"], "is_domain": False,
        "options": {}, "links": {"self": f"{operator.auth_url}/projects/{made['id']}"},
    }  # fmt: skip
    assert identity.get(f"/projects/{made['id']}") == made
    assert identity.list("/projects", "projects", domain_id=domain["id"]) == [made]
    assert identity.list("/projects", "projects", name=given["name"]) == [made]
    assert identity.list("/projects", "projects", **{"domain_id": domain["id"], "tags": "b c"}) == [made]
    assert identity.list("/projects", "projects", **{"domain_id": domain["id"], "tags": "c"}) == []


def test_a_list_of_projects_has_no_domains(identity: Service, domain: Json) -> None:
    assert domain["id"] not in {project["id"] for project in identity.list("/projects", "projects")}
    (found,) = identity.list("/projects", "projects", is_domain="true", name=domain["name"])
    assert found["id"] == domain["id"]


def test_names_of_projects(identity: Service, domain: Json, project: Json) -> None:
    with refused(409, "with either the same name or same id in the same domain"):
        identity.post("/projects", "project", name=project["name"], domain_id=domain["id"])
    for bad in ("", "x" * 65):
        with refused(400):
            identity.post("/projects", "project", name=bad, domain_id=domain["id"])


def test_where_projects_can_be(identity: Service, domain: Json, project: Json, contractor: Contractor) -> None:
    with refused(400, "Could not find domain: nowhere."):
        identity.post("/projects", "project", name="x", domain_id="nowhere")
    with refused(400, "Could not find project: nowhere."):
        identity.post("/projects", "project", name="x", domain_id=domain["id"], parent_id="nowhere")
    with refused(400, "but specifies a parent in a different domain"):
        identity.post("/projects", "project", name="x", domain_id=contractor.domain, parent_id=project["id"])


def test_a_tree(identity: Service, domain: Json, project: Json, name: Name) -> None:
    child = below(identity, project, name("child"))
    leaf = below(identity, child, name("leaf"))
    assert (child["parent_id"], leaf["parent_id"]) == (project["id"], child["id"])
    found = identity.get(f"/projects/{leaf['id']}?parents_as_ids")
    assert found["parents"] == {child["id"]: {project["id"]: {domain["id"]: None}}}
    found = identity.get(f"/projects/{project['id']}?subtree_as_ids")
    assert found["subtree"] == {child["id"]: {leaf["id"]: None}}
    with refused(403, "since it is not a leaf in the hierarchy"):
        identity.call("DELETE", f"/projects/{child['id']}")
    for gone in (leaf, child):
        assert identity.call("DELETE", f"/projects/{gone['id']}").status_code == 204


def test_how_deep_a_tree_is(identity: Service, project: Json, name: Name) -> None:
    for _ in range(4):
        project = below(identity, project, name("deeper"))
    with refused(403, f"Max hierarchy depth reached for {project['id']} branch."):
        below(identity, project, name("deepest"))


def test_enabled_trees(identity: Service, project: Json, name: Name) -> None:
    child = below(identity, project, name("child"))
    upper, lower = f"/projects/{project['id']}", f"/projects/{child['id']}"
    with refused(403, "since its subtree contains enabled projects."):
        identity.patch(upper, "project", enabled=False)
    assert identity.patch(lower, "project", enabled=False)["enabled"] is False
    assert identity.patch(upper, "project", enabled=False)["enabled"] is False
    with refused(403, f"Cannot enable project {child['id']} since it has disabled parents"):
        identity.patch(lower, "project", enabled=True)
    with refused(400, f"cannot create a project in a branch containing a disabled project: {project['id']}"):
        below(identity, project, name("another"))
    identity.patch(upper, "project", enabled=True)
    assert identity.patch(lower, "project", enabled=True)["enabled"] is True


def test_changing_a_project(identity: Service, project: Json, name: Name) -> None:
    path, new = f"/projects/{project['id']}", name("new")
    changed = identity.patch(path, "project", name=new, description="d", cost_centre="7")
    assert (changed["name"], changed["description"], changed["cost_centre"]) == (new, "d", "7")
    assert changed["extra"] == {"cost_centre": "7"}
    assert "extra" not in identity.get(path)
    with refused(403, "Update of `parent_id` is not allowed."):
        identity.patch(path, "project", parent_id="x" * 32)
    with refused(400, "Cannot change Domain ID"):
        identity.patch(path, "project", domain_id="default")
    with refused(400, "Update of `is_domain` is not allowed."):
        identity.patch(path, "project", is_domain=True)
    with refused(404, "Could not find project: nowhere."):
        identity.patch("/projects/nowhere", "project", description="d")


def test_an_immutable_project(identity: Service, project: Json) -> None:
    path = f"/projects/{project['id']}"
    assert identity.patch(path, "project", options={"immutable": True})["options"] == {"immutable": True}
    with refused(403, f"Unable to update immutable project resource: `{project['id']}. {IMMUTABLE}"):
        identity.patch(path, "project", description="d")
    with refused(403, f"Unable to delete immutable project resource: `{project['id']}. {IMMUTABLE}"):
        identity.call("DELETE", path)
    with refused(403, "project is immutable"):
        identity.put(f"{path}/tags", tags=["a"])
    with refused(403):
        identity.patch(path, "project", options={"immutable": False}, description="d")
    assert identity.patch(path, "project", options={"immutable": None})["options"] == {}


def test_an_immutable_domain(identity: Service, domain: Json, release: str) -> None:
    """Zed lets it go only by the other name of a domain."""
    path = f"/domains/{domain['id']}"
    identity.patch(path, "domain", options={"immutable": True})
    with refused(403, f"Unable to update immutable domain resource: `{domain['id']}. {IMMUTABLE}"):
        identity.patch(path, "domain", enabled=False)
    if release == "zed":
        with refused(403, "Unable to update immutable domain resource"):
            identity.patch(path, "domain", options={"immutable": False})
    identity.patch(f"/projects/{domain['id']}", "project", options={"immutable": False})
    assert identity.patch(path, "domain", enabled=False)["enabled"] is False


def test_tags(identity: Service, domain: Json) -> None:
    path = f"/projects/{domain['id']}/tags"
    assert identity.call("PUT", path, json={"tags": ["b", "a"]}).json()["tags"] == ["b", "a"]
    assert identity.call("GET", path).json()["tags"] == ["a", "b"]
    assert identity.call("GET", f"{path}/a").status_code == 204
    with refused(404, "Could not find project tag: c."):
        identity.call("GET", f"{path}/c")
    assert identity.call("PUT", f"{path}/c").status_code == 201
    assert identity.get(f"/domains/{domain['id']}")["tags"] == ["a", "b", "c"]
    assert identity.call("DELETE", f"{path}/a").status_code == 204
    assert identity.call("DELETE", path).status_code == 204
    assert identity.call("GET", path).json()["tags"] == []


def test_pages(identity: Service, domain: Json, name: Name, release: str) -> None:
    """Zed knows none; 2026.1 gives a next page whenever one is full."""
    made = {identity.post("/projects", "project", name=name("p"), domain_id=domain["id"])["id"] for _ in range(3)}
    page = identity.call("GET", f"/projects?limit=2&domain_id={domain['id']}").json()
    if release == "zed":
        assert {project["id"] for project in page["projects"]} == made
        assert page["links"]["next"] is None
        return
    assert [project["id"] for project in page["projects"]] == sorted(made)[:2]
    assert page["truncated"] is True
    assert f"marker={sorted(made)[1]}" in page["links"]["next"]
    found = identity.list("/projects", "projects", limit=2, domain_id=domain["id"])
    assert [project["id"] for project in found] == sorted(made)
    with refused(404, "Marker nothing could not be found."):
        identity.call("GET", "/projects?limit=2&marker=nothing")


def test_what_members_see(member: Account, other: Account, contractor: Contractor) -> None:
    assert member.identity.get(f"/projects/{member.project_id}")["id"] == member.project_id
    assert member.identity.get(f"/domains/{contractor.domain}")["id"] == contractor.domain
    with refused(403, "You are not authorized to perform the requested action: identity:get_project."):
        member.identity.get(f"/projects/{other.project_id}")
    with refused(403, "identity:update_project."):
        member.identity.patch(f"/projects/{member.project_id}", "project", description="mine")
    with refused(403, "identity:delete_project."):
        member.identity.call("DELETE", f"/projects/{member.project_id}")
