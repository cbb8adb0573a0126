"""Making a thing once: whatever becomes of the answer and of our process, it is there once, and known."""

from __future__ import annotations

import contextlib
import threading

import pytest

from pumphouse.errors import Cancelled, CloudError
from pumphouse.resources.base import ResourceType
from pumphouse.resources.registry import TYPES
from pumphouse.store import notes
from pumphouse.tasks import base
from pumphouse.tasks.records import MakeResource
from tests.unit import fakes
from tests.unit.fake_clients import HttpError
from tests.unit.fakes import PAIR

#: One of each kind of record of the tenant, by (type, id), that a cloud would make twice if it were asked twice.
RECORDS = [
    ("project", "p"),
    ("user", "u"),
    ("role", "r"),
    ("credential", "c"),
    ("flavor", "f"),
    ("keypair", "u/key"),
    ("network", "n"),
    ("subnet", "s"),
    ("security_group", "g1"),
    ("security_group_rule", "r-g1"),
    ("port", "o1"),
    ("image", "i"),
]
#: Links between others.
LINKS = [("assignment", "u/p/source-member"), ("membership", "g/u"), ("image_member", "i/p")]


class Killed(BaseException):
    """The end of the process: nothing catches it."""


@pytest.fixture
def context(monkeypatch):
    monkeypatch.setattr(base, "PAUSES", (0.0, 0.0, 0.0))
    with fakes.new_store() as store:
        context = fakes.new_context(store)
        source = context.source
        source.put("role", "r", name="operator", domain_id=None)
        source.put("group", "g", name="people", domain_id="source-default")
        source.put("credential", "c", user_id="u", type="ec2", blob="b", project_id="p")
        source.put("image", "i", name="img", owner="p", status="active", size=9, visibility="private", tags=["a"])
        source.put("image_member", "i/p", image_id="i", member_id="p", status="pending")
        source.tables["membership"]["g/u"] = {"group_id": "g", "user_id": "u"}
        source.tables["assignment"]["u/p/source-member"] = {
            "user": {"id": "u"}, "role": {"id": "source-member"}, "scope": {"project": {"id": "p"}},
        }  # fmt: skip
        context.destination.tables["role"].clear()
        context.destination.put("domain", "SOURCE-DEFAULT", name="Default", enabled=True)
        yield context


def task(context, type_, id_):
    """What makes it; all that it may refer to is there already."""
    for other in ("domain", "project", "user", "role", "group", "network", "subnet", "security_group", "image"):
        for source_id in context.source.tables[other]:
            if (other, source_id) != (type_, id_):
                stand_in(context, other, source_id, source_id.upper())
    context.destination.requests.clear()
    return MakeResource(type_, id_, "thing")


def stand_in(context, type_, source_id, destination_id):
    id_ = context.migration_id
    context.store.map(PAIR, type_, source_id, destination_id, migration_id=id_, unit="earlier", created=False)


def lose_answers(monkeypatch, type_, count):
    """Requests to make one take effect, but the answers to the first ``count`` do not come."""
    class_ = type(TYPES[type_])
    real, lost = class_.create, iter(range(count))

    def create(self, cloud, wanted):
        made = real(self, cloud, wanted)
        if next(lost, None) is not None:
            raise ConnectionError("connection reset by peer")
        return made

    monkeypatch.setattr(class_, "create", create)


def run_and_be_killed(context, monkeypatch, making, method="map"):
    """Run the task, and end as soon as it calls a method of the store."""

    def kill(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(context.store, method, kill)
        with pytest.raises(Killed):
            making.execute(context)


def there(context, type_):
    return list(context.destination.tables[type_])


def noted(context, type_, id_):
    return notes.find(context.store, notes.MAKING, type_, id_)


def assert_made_once(context, type_, id_, made):
    (_only,) = there(context, type_)
    assert context.mine(type_, id_) == made
    assert TYPES[type_].get(context.destination, made)
    assert noted(context, type_, id_) is None


@pytest.mark.parametrize(("type_", "id_"), RECORDS + LINKS)
def test_what_was_made_though_no_answer_came_is_there_once(context, monkeypatch, type_, id_):
    lose_answers(monkeypatch, type_, 2)
    assert_made_once(context, type_, id_, task(context, type_, id_).execute(context))


@pytest.mark.parametrize(("type_", "id_"), RECORDS + LINKS)
def test_what_was_made_before_our_process_died_is_there_once(context, monkeypatch, type_, id_):
    making = task(context, type_, id_)
    run_and_be_killed(context, monkeypatch, making)
    assert len(there(context, type_)) == 1
    assert context.lookup(type_, id_) is None
    assert_made_once(context, type_, id_, making.execute(context))


@pytest.mark.parametrize(("type_", "id_"), RECORDS)
def test_undoing_removes_what_was_made_though_no_answer_ever_came(context, monkeypatch, type_, id_):
    making = task(context, type_, id_)
    lose_answers(monkeypatch, type_, 99)
    with contextlib.suppress(CloudError):
        making.execute(context)
    making.revert(context)
    assert there(context, type_) == []
    assert noted(context, type_, id_) is None


@pytest.mark.parametrize(("type_", "id_"), RECORDS)
def test_undoing_removes_what_a_process_made_that_died(context, monkeypatch, type_, id_):
    making = task(context, type_, id_)
    run_and_be_killed(context, monkeypatch, making)
    making.revert(context)
    assert there(context, type_) == []
    assert noted(context, type_, id_) is None


@pytest.mark.parametrize("type_", [type_ for type_ in TYPES.values() if not type_.again], ids=lambda type_: type_.type)
def test_of_each_type_that_could_be_made_twice_a_leftover_can_be_recognised(type_):
    known_otherwise = type(type_).orphans is not ResourceType.orphans
    assert type_.matching or known_otherwise or type_.type == "volume_snapshot", "which is temporary, and has a name"


def test_a_process_that_died_before_it_asked_has_made_nothing(context, monkeypatch):
    making = task(context, "network", "n")
    with monkeypatch.context() as patch:
        patch.setattr(type(TYPES["network"]), "create", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            making.execute(context)
    assert noted(context, "network", "n")["name"] == "net"
    assert_made_once(context, "network", "n", making.execute(context))


def test_what_was_there_long_before_is_nobodys_leftover(context, monkeypatch):
    """Two networks of a project may have one name, and this one stands for nothing of ours."""
    making = task(context, "network", "n")
    run_and_be_killed(context, monkeypatch, making)
    (left,) = there(context, "network")
    context.destination.put("network", "old", name="net", project_id="P", tags=[], created_at="2020-01-01T00:00:00Z")
    made = making.execute(context)
    assert sorted(there(context, "network")) == sorted(["old", made])
    assert left != made


@pytest.mark.parametrize("error", [HttpError(500, "a fault"), CloudError("a fault")])
def test_a_fault_is_not_tried_again_and_what_it_has_left_is_removed(context, monkeypatch, error):
    """Nobody knows how far the service came."""
    making = task(context, "network", "n")
    create = type(TYPES["network"]).create

    def fail(*args):
        create(*args)
        raise error

    monkeypatch.setattr(type(TYPES["network"]), "create", fail)
    with pytest.raises(CloudError, match="a fault"):
        making.execute(context)
    assert context.destination.asked("create", "network") == 1
    making.revert(context)
    assert there(context, "network") == []


def test_a_refusal_is_final_and_leaves_no_note(context):
    making = task(context, "network", "n")
    context.destination.refuse["create", "network"] = HttpError(403, "not you")
    with pytest.raises(CloudError, match="not you"):
        making.execute(context)
    making.revert(context)
    assert noted(context, "network", "n") is None
    assert context.destination.changes() == [("create", "network")]


def test_where_nothing_is_lost_nothing_is_looked_for(context):
    task(context, "network", "n").execute(context)
    assert context.destination.asked("list") == 0


def test_a_service_that_is_away_for_a_moment_is_waited_for(context, monkeypatch):
    making = task(context, "network", "n")
    context.destination.refuse["create", "network"] = HttpError(503, "starting")

    def come_back(_context, _seconds):
        del context.destination.refuse["create", "network"]

    monkeypatch.setattr("pumphouse.tasks.base.pause", come_back)
    assert_made_once(context, "network", "n", making.execute(context))


def test_who_gives_up_does_not_wait_for_it(context, monkeypatch):
    monkeypatch.setattr(base, "PAUSES", (3600.0,))
    making = task(context, "network", "n")
    context.destination.refuse["create", "network"] = HttpError(503, "starting")
    context.abandon.set()
    with pytest.raises(Cancelled):
        making.execute(context)


def test_who_gives_up_still_undoes_all_that_he_can(context, monkeypatch):
    making = task(context, "network", "n")
    making.execute(context)
    context.abandon.set()
    context.destination.refuse["delete", "network"] = HttpError(503, "starting")
    real = base.pause

    def come_back(*args):
        context.destination.refuse.clear()
        real(*args)

    monkeypatch.setattr(base, "PAUSES", (0.001,))
    monkeypatch.setattr(base, "pause", come_back)
    making.revert(context)
    assert there(context, "network") == []


def test_of_an_image_the_record_that_was_left_is_used(context, monkeypatch):
    """Its id could not be had a second time."""
    making = task(context, "image", "i")
    run_and_be_killed(context, monkeypatch, making)
    assert making.execute(context) == "i"
    assert context.destination.asked("delete", "image") == 0


def test_of_an_image_whose_id_is_taken_the_record_is_used_too(context, monkeypatch):
    making = task(context, "image", "i")
    for id_, owner in (("i", "somebody else"), ("theirs", "P")):
        context.destination.put("image", id_, name="img", owner=owner, status="active")
    run_and_be_killed(context, monkeypatch, making)
    (left,) = set(there(context, "image")) - {"i", "theirs"}
    assert making.execute(context) == left
    assert len(there(context, "image")) == 3


def test_what_lacks_what_is_set_after_it_is_made_is_made_again(context):
    """A network without its tags would be no copy."""
    context.source.tables["network"]["n"]["tags"] = ["a"]
    making = task(context, "network", "n")
    left = context.destination.put("network", name="net", project_id="P", tags=[])["id"]
    notes.keep(context.store, notes.MAKING, context.migration_id, "unit", "network", "n", {"name": "net"})
    made = making.execute(context)
    assert made != left
    assert context.destination.tables["network"][made]["tags"] == ["a"]
    assert_made_once(context, "network", "n", made)


@pytest.mark.parametrize("ending", ["done", "undone"])
def test_others_of_the_same_name_that_stand_for_something_else_are_left_alone(context, monkeypatch, ending):
    """Two networks of a project may have one name."""
    making = task(context, "network", "n")
    context.destination.put("network", "other", name="net", project_id="P", tags=[])
    stand_in(context, "network", "another n", "other")
    lose_answers(monkeypatch, "network", 1 if ending == "done" else 99)
    if ending == "done":
        made = making.execute(context)
        assert there(context, "network") == ["other", made]
    else:
        with pytest.raises(CloudError):
            making.execute(context)
        making.revert(context)
        assert there(context, "network") == ["other"]


@pytest.mark.parametrize("end", ["execute", "revert"])
def test_what_somebody_has_filled_since_is_not_removed_as_a_leftover(context, monkeypatch, end):
    """He made it by hand when he saw that our process had died."""
    making = task(context, "project", "p")
    run_and_be_killed(context, monkeypatch, making)
    (id_,) = there(context, "project")
    context.destination.put("server", "theirs", name="theirs", tenant_id=id_, tags=[])
    if end == "execute":
        with pytest.raises(CloudError, match=f"project acme .{id_}. is in the way in the destination: it has servers"):
            making.execute(context)
    else:
        making.revert(context)
    assert there(context, "project") == [id_]


def test_what_an_earlier_migration_began_to_make_is_not_made_twice(context, monkeypatch):
    run_and_be_killed(context, monkeypatch, task(context, "network", "n"))
    context.migration_id = context.store.start_migration(PAIR, {}, {}, {})
    assert_made_once(context, "network", "n", task(context, "network", "n").execute(context))


# Links


def test_a_link_that_is_there_already_when_it_is_made_again_is_no_error(context, monkeypatch):
    making = task(context, "image_member", "i/p")
    run_and_be_killed(context, monkeypatch, making)
    context.destination.refuse["create", "image_member"] = HttpError(409, "is shared already")
    assert making.execute(context) == "I/P"
    assert context.mine("image_member", "i/p") == "I/P"


def test_a_link_that_cannot_be_made_is_an_error(context):
    making = task(context, "image_member", "i/p")
    context.destination.refuse["create", "image_member"] = HttpError(409, "the image is private")
    with pytest.raises(CloudError, match="the image is private"):
        making.execute(context)
    assert context.lookup("image_member", "i/p") is None


def test_the_default_group_of_a_project_is_never_removed_as_a_leftover(context, monkeypatch):
    context.source.tables["security_group"]["g1"]["name"] = "default"
    context.destination.put("security_group", "G", name="default", project_id="P", description="")
    making = task(context, "security_group", "g1")
    lose_answers(monkeypatch, "security_group", 1)
    assert making.execute(context) == "G"
    assert context.destination.asked("delete", "security_group") == 0


# Several at once


def test_each_of_several_threads_makes_its_own(context, monkeypatch):
    for number in range(4):
        context.source.put("network", f"n{number}", name=f"net {number}", project_id="p", tags=[])
    lose_answers(monkeypatch, "network", 2)
    tasks = [task(context, "network", f"n{number}") for number in range(4)]
    threads = [threading.Thread(target=making.execute, args=(context,)) for making in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row["name"] for row in context.destination.tables["network"].values()) == [
        f"net {number}" for number in range(4)
    ]
