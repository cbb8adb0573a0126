"""A tenant's people: groups, roles on domains and from above, what roles imply, and credentials."""

from __future__ import annotations

import json
import logging

import pytest

from pumphouse.planning import Selection, make_plan
from pumphouse.planning.discovery import discover
from pumphouse.planning.matching import Matcher
from pumphouse.planning.people_left import people_left
from pumphouse.planning.units import make_units
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from tests.unit import fakes
from tests.unit.fake_clients import HttpError

DOMAIN = "source-default"
SECRET = "hunter2-secret-access-key"


@pytest.fixture
def source():
    """acme below "above", with a group of two, one of them with a role of their own."""
    cloud = fakes.found_cloud("source")
    fakes.tenant(cloud)
    cloud.put("project", "above", name="above", domain_id=DOMAIN, parent_id=DOMAIN)
    cloud.put("project", "below", name="below", domain_id=DOMAIN, parent_id="p")
    cloud.tables["project"]["p"]["parent_id"] = "above"
    cloud.put("user", "m", name="Mia", domain_id=DOMAIN, enabled=False)
    cloud.put("user", "x", name="Xaver", domain_id=DOMAIN)
    cloud.put("group", "staff", name="staff", domain_id=DOMAIN, description="", extra="kept")
    cloud.put("group", "club", name="club", domain_id=DOMAIN)
    cloud.put("role", "boss", name="boss", domain_id=None)
    cloud.put("role", "local", name="local", domain_id=DOMAIN)
    for user in ("u", "m"):
        cloud.identity.users.add_to_group(user, "staff")
    cloud.identity.users.add_to_group("u", "club")
    cloud.identity.inference_rules.create("boss", "source-reader")
    cloud.identity.inference_rules.create("local", "source-member")
    cloud.identity.inference_rules.create("source-member", "source-reader")
    grant = cloud.identity.roles.grant
    grant("boss", group="staff", project="p")
    grant("local", user="u", project="p", os_inherit_extension_inherited=True)
    grant("source-reader", user="m", domain=DOMAIN)
    grant("source-reader", group="staff", domain=DOMAIN, os_inherit_extension_inherited=True)
    grant("source-reader", user="x", domain=DOMAIN, os_inherit_extension_inherited=True)
    grant("source-reader", user="x", domain=DOMAIN)
    grant("source-reader", user="u", project="above", os_inherit_extension_inherited=True)
    grant("source-reader", user="u", project="above")
    cloud.requests.clear()
    return cloud


@pytest.fixture
def destination():
    return fakes.found_cloud("destination")


@pytest.fixture
def store():
    with fakes.new_store() as store:
        yield store


def walk(cloud, *roots):
    named = roots or (("project", "p"),)
    return discover(Inventory(cloud, TYPES), [(type_, cloud.tables[type_][id_]) for type_, id_ in named])


def ids(found, type_):
    return {id_ for kind, id_ in found.resources if kind == type_}


def match(source, destination, store):
    found = walk(source)
    items = Matcher(Inventory(source, TYPES), Inventory(destination, TYPES), store, "pair").match(found)
    return {item.key: item for item in items}


def credential(cloud, id_="c", project="p", type_="ec2", user="u", **blob):
    text = json.dumps({"access": id_, "secret": SECRET, **blob})
    return cloud.put("credential", id_, user_id=user, project_id=project, type=type_, blob=text)


def test_a_group_with_a_role_comes_with_its_members(source):
    found = walk(source)
    assert ids(found, "group") == {"staff"}
    assert ids(found, "membership") == {"staff/u", "staff/m"}
    assert ids(found, "user") == {"u", "m"}


def test_of_the_domain_come_the_roles_of_those_who_come_and_from_above_what_is_inherited(source):
    assert ids(walk(source), "assignment") == {
        "u/p/source-member",
        "group:staff/p/boss",
        "u/p/local/inherited",
        f"m/domain:{DOMAIN}/source-reader",
        f"group:staff/domain:{DOMAIN}/source-reader/inherited",
        "u/above/source-reader/inherited",
    }


def test_who_only_owns_a_server_brings_no_roles_on_the_domain(source):
    source.tables["server"]["w1"]["user_id"] = "x"
    source.put("keypair", "x/key", user_id="x", name="key", public_key="ssh-rsa B", type="ssh", fingerprint="")
    found = walk(source)
    assert "x" in ids(found, "user")
    assert not [id_ for id_ in ids(found, "assignment") if id_.startswith("x/")]


def test_a_project_above_comes_bare(source):
    found = walk(source)
    assert {"p", "above"} == ids(found, "project")
    assert "u/above/source-reader" not in ids(found, "assignment")


def test_roles_of_a_domain_are_read_once(source):
    walk(source)
    assert source.asked("list", "assignment") == 3  # the project, its domain, the project above


def test_implied_roles_come_with_the_roles(source):
    found = walk(source)
    assert ids(found, "implied_role") == {"boss/source-reader", "local/source-member", "source-member/source-reader"}
    assert ids(found, "role") == {"boss", "local", "source-member", "source-reader"}


def test_a_rule_is_made_for_a_role_of_ours_and_never_added_to_one_that_was_there(source, destination, store):
    items = match(source, destination, store)
    assert items["implied_role", "boss/source-reader"].action == "create"
    assert items["implied_role", "source-member/source-reader"].action == "skip"
    assert "left as it is" in items["implied_role", "source-member/source-reader"].reason
    destination.identity.inference_rules.create("destination-member", "destination-reader")
    assert match(source, destination, store)["implied_role", "source-member/source-reader"].action == "reuse"


def test_a_role_of_a_domain_stays_one(source, destination, store):
    destination.put("role", "global", name="local", domain_id=None)
    assert match(source, destination, store)["role", "local"].action == "create"


@pytest.mark.parametrize(
    ("id_", "arguments"),
    [
        ("u/p/r", {"user": "u", "project": "p"}),
        ("group:g/p/r", {"group": "g", "project": "p"}),
        ("u/domain:d/r", {"user": "u", "domain": "d"}),
        ("group:g/domain:d/r/inherited", {"group": "g", "domain": "d", "os_inherit_extension_inherited": True}),
        ("u/p/r/inherited", {"user": "u", "project": "p", "os_inherit_extension_inherited": True}),
    ],
)
def test_every_form_of_assignment_is_made_found_and_taken_away(destination, id_, arguments):
    destination.identity.roles.grant("r", **arguments)
    type_ = TYPES["assignment"]
    (wire,) = destination.tables["assignment"].values()
    assert type_.id(wire) == id_
    assert type_.get(destination, id_) == wire
    assert type_.find(Inventory(destination, TYPES), wire, wire) == wire
    type_.delete(destination, id_)
    assert destination.tables["assignment"] == {}
    type_.delete(destination, id_)
    type_.create(destination, wire)
    assert list(destination.tables["assignment"].values()) == [wire]


def test_references_of_an_assignment_are_replaced_whatever_its_scope():
    type_ = TYPES["assignment"]
    wire = {
        "group": {"id": "g"},
        "role": {"id": "r"},
        "scope": {"domain": {"id": "d"}, "OS-INHERIT:inherited_to": "projects"},
    }
    assert list(type_.references(wire)) == [("group", "g"), ("role", "r"), ("domain", "d")]
    there = type_.translate(wire, lambda kind, id_: f"{kind}-{id_}")
    assert there["scope"] == {"domain": {"id": "domain-d"}, "OS-INHERIT:inherited_to": "projects"}
    verdicts = type_.compare(wire, there, lambda kind, id_: f"{kind}-{id_}")
    assert {v.field: v.verdict for v in verdicts} == {"group": "mapped", "role": "mapped", "scope": "mapped"}
    direct = {**there, "scope": {"domain": {"id": "domain-d"}}}
    assert "differs" in {v.verdict for v in type_.compare(wire, direct, lambda kind, id_: f"{kind}-{id_}")}


def test_people_are_in_the_units_of_their_projects(source, destination, store):
    found = walk(source)
    items = Matcher(Inventory(source, TYPES), Inventory(destination, TYPES), store, "pair").match(found)
    units = {unit.name: unit for unit in make_units(items, found)}
    kinds = {name for name, unit in units.items() if unit.kind == "identity"}
    assert kinds == {"identity:above", "identity:p"}
    assert "identity:above" in units["identity:p"].needs


def test_what_stays_is_named_with_its_owner(source):
    source.put("application_credential", "ac", name="ci", user_id="u", project_id="p")
    source.put("application_credential", "elsewhere", name="no", user_id="u", project_id="q")
    source.put("trust", "t", trustor_user_id="u", trustee_user_id="x", project_id="p")
    source.put("trust", "t2", trustor_user_id="x", trustee_user_id="u", project_id="p")
    notes = []
    left = people_left(Inventory(source, TYPES), walk(source), notes.append)
    assert notes == []
    assert {(item.type, item.name) for item in left} == {
        ("project", "below"),
        ("assignment", "Xaver as reader on domain Default (inherited)"),
        ("membership", "Zoë in club"),
        ("application credential", "ci of Zoë"),
        ("trust", "Zoë trusts Xaver for acme"),
    }
    assert all(item.action == "skip" and item.reason for item in left)


def test_what_could_not_be_looked_at_is_told(source):
    source.refuse["list", "trust"] = HttpError(403, "not allowed")
    notes = []
    people_left(Inventory(source, TYPES), walk(source), notes.append)
    assert notes == ["Could not look for any trust in the source: not allowed (HTTP 403)"]


def test_a_credential_comes_for_a_project_that_comes(source, destination, store):
    credential(source)
    credential(source, "other", project="below")
    credential(source, "trusted", trust_id="t")
    source.put("credential", "totp", user_id="u", project_id=None, type="totp", blob=SECRET)
    credential(source, "strange", user="x")
    items = match(source, destination, store)
    actions = {item.id: item.action for item in items.values() if item.type == "credential"}
    assert actions == {"c": "create", "totp": "create", "other": "skip", "trusted": "skip"}
    assert "through a trust" in items["credential", "trusted"].reason
    assert ("project", "below") not in items


def test_ids_in_a_credential_are_replaced_and_its_secret_is_not_shown(source):
    wire = credential(source, tenant_id="p", user_id="u", trust_id=None)
    type_ = TYPES["credential"]
    wanted = type_.translate(wire, lambda kind, id_: f"there-{id_}")
    assert (wanted["user_id"], wanted["project_id"]) == ("there-u", "there-p")
    inside = {"access": "c", "secret": SECRET, "tenant_id": "there-p", "user_id": "there-u", "trust_id": None}
    assert json.loads(wanted["blob"]) == inside
    there = {**wanted, "id": "c", "blob": json.dumps(inside, indent=1)}
    verdicts = type_.compare(wire, there, lambda kind, id_: f"there-{id_}")
    assert {v.field: v.verdict for v in verdicts if v.field != "links"} == {
        "id": "equal", "user_id": "mapped", "project_id": "mapped", "type": "equal", "blob": "mapped",
    }  # fmt: skip
    assert SECRET not in repr(verdicts)
    wrong = {**there, "blob": json.dumps({**inside, "secret": "other"})}
    assert "differs" in {v.verdict for v in type_.compare(wire, wrong, lambda kind, id_: f"there-{id_}")}


def test_an_access_key_that_somebody_else_has_there_is_in_the_way(source, destination, store):
    credential(source)
    key = "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"  # SHA-256 of "c"
    destination.put("credential", key, user_id="z", project_id="z", type="ec2", blob=json.dumps({"access": "c"}))
    for user, project in (("Zoë", "acme"), ("Mia", "above")):
        destination.put("user", user, name=user, domain_id="destination-default")
        destination.put("project", project, name=project, domain_id="destination-default", parent_id=None)
    destination.tables["project"]["above"]["parent_id"] = "destination-default"
    destination.tables["project"]["acme"]["parent_id"] = "above"
    item = match(source, destination, store)["credential", "c"]
    assert item.action == "conflict"
    assert "blob is another there" in item.reason
    assert SECRET not in item.reason


def test_no_secret_in_a_plan(source, destination, store, caplog):
    caplog.set_level(logging.DEBUG)
    credential(source)
    plan = make_plan(source, destination, store, Selection(tenant="acme"), lambda _text: None)
    assert any(item.type == "credential" for item in plan.items)
    assert SECRET not in json.dumps(plan.to_json()) + caplog.text


def test_below_disabled_ones_a_project_is_made_and_they_are_disabled_again(destination):
    """Keystone refuses to make anything below them."""
    destination.put("domain", "d", name="d", enabled=False)
    destination.put("project", "top", name="top", domain_id="d", parent_id="d", enabled=False)
    seen = []
    create = destination.put

    def put(type_, *args, **wire):
        tables = destination.tables
        seen.append((tables["domain"]["d"]["enabled"], tables["project"]["top"]["enabled"]))
        return create(type_, *args, **wire)

    destination.put = put
    TYPES["project"].create(destination, {"name": "new", "domain_id": "d", "parent_id": "top", "enabled": False})
    assert seen == [(True, True)]
    assert not destination.tables["domain"]["d"]["enabled"]
    assert not destination.tables["project"]["top"]["enabled"]


@pytest.mark.parametrize(("type_", "asked"), [("domain", "project"), ("project", "project"), ("role", "role")])
def test_what_is_immutable_can_be_undone(destination, type_, asked):
    """A domain is unlocked as the project that it is too: Keystone refuses it through /domains."""
    wire = destination.put(
        type_, "i", name="i", enabled=True, options={"immutable": True}, domain_id="d", parent_id="d"
    )
    destination.tables["project"]["i"] = wire
    destination.requests.clear()
    TYPES[type_].delete(destination, "i")
    assert destination.changes()[0] == ("update", asked)
    assert "i" not in destination.tables[type_]


def test_a_member_who_is_gone_is_found_gone(destination):
    type_ = TYPES["membership"]
    type_.create(destination, {"group_id": "g", "user_id": "u"})
    assert type_.get(destination, "g/u") == {"group_id": "g", "user_id": "u"}
    type_.delete(destination, "g/u")
    assert type_.get(destination, "g/u") is None


def test_lists_of_keystone_are_read_to_their_end():
    """2026.1 cuts them off without a word where no limit is asked for."""
    cloud = fakes.FakeCloud("source")
    cloud.page = 2
    for number in range(7):
        cloud.put("user", f"u{number}", name=f"user {number}", domain_id="d" if number else "other")
    assert len(TYPES["user"].list(cloud)) == 7
    assert {user["id"] for user in TYPES["user"].list(cloud, domain_id="d")} == {f"u{n}" for n in range(1, 7)}
