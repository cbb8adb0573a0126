"""The proof after the move: it may say "equal" only of what was looked at in both clouds."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from pumphouse.migrations.verify import note_failure, verify_unit
from pumphouse.planning.plan import Item, Loss, Unit
from pumphouse.tasks.context import Context
from pumphouse.transfer.images import Copied
from pumphouse.transfer.progress import Progress
from tests.unit import fakes
from tests.unit.fake_clients import HttpError

PAIR = "source -> destination"


@pytest.fixture
def context():
    source, destination = fakes.found_cloud("source"), fakes.found_cloud("destination")
    for cloud, id_ in ((source, "n"), (destination, "N")):
        cloud.put("network", id_, name="net", project_id=None, admin_state_up=False, tags=["b", "a"], mtu=1500)
    with fakes.new_store() as store:
        id_ = store.start_migration(PAIR, {}, {}, {})
        store.map(PAIR, "network", "n", "N", migration_id=id_, unit="unit", created=True)
        yield Context(source, destination, store, Progress(), PAIR, id_, "unit", threading.Event())


def verify(context, action="create", type_="network", id_="n", **more):
    """(whether all is right, the result, its fields by name)."""
    right = verify_unit(context, Unit("unit", type_, "", [Item(type_, id_, "net", action, "a reason", **more)]))
    return right, *kept(context)


def kept(context):
    (result,) = context.store.results(context.migration_id)
    return result, {field["field"]: field for field in result.fields}


def there(context):
    return context.destination.tables["network"]["N"]


def test_every_field_of_both_sides_is_in_the_result(context):
    there(context)["brand_new"] = 1
    right, result, fields = verify(context)
    assert right
    assert (result.verdict, result.source_id, result.destination_id, result.name) == ("equal", "n", "N", "net")
    assert {"name", "admin_state_up", "tags", "mtu", "brand_new", "id"} <= set(fields)
    assert fields["admin_state_up"]["verdict"] == "equal"
    assert fields["brand_new"]["verdict"] == "not carried"


@pytest.mark.parametrize(("field", "value"), [("admin_state_up", True), ("name", ""), ("tags", [])])
def test_one_field_that_differs_makes_the_whole_wrong(context, field, value):
    there(context)[field] = value
    right, result, fields = verify(context)
    assert not right
    assert result.verdict == "differs"
    assert (fields[field]["verdict"], fields[field]["destination"]) == ("differs", value)


def test_one_wrong_resource_of_many_makes_the_unit_wrong_and_all_are_looked_at(context):
    items = [Item("network", "gone", "gone", "create", ""), Item("network", "n", "net", "create", "")]
    assert not verify_unit(context, Unit("unit", "network", "", items))
    verdicts = {result.source_id: result.verdict for result in context.store.results(context.migration_id)}
    assert verdicts == {"gone": "differs", "n": "equal"}


@pytest.mark.parametrize(("role", "id_"), [("source", "n"), ("destination", "N")])
def test_what_is_not_there_any_more_is_not_equal(context, role, id_):
    del context.cloud(role).tables["network"][id_]
    right, result, fields = verify(context)
    assert not right
    assert result.verdict == "differs"
    assert fields["(resource)"]["reason"] == f"is not in the {role} any more"


def test_without_a_counterpart_nothing_is_equal(context):
    context.store.unmap(PAIR, "network", "n")
    right, result, _ = verify(context)
    assert (right, result.verdict, result.destination_id) == (False, "differs", None)


def test_a_cloud_that_does_not_answer_proves_nothing(context):
    context.destination.refuse["get", "network"] = HttpError(500, "the database is away")
    right, result, fields = verify(context)
    assert (right, result.verdict) == (False, "not verified")
    assert "the database is away" in fields["(resource)"]["reason"]


def test_what_was_there_already_may_differ_but_that_is_told(context):
    there(context)["admin_state_up"] = True
    right, result, fields = verify(context, "reuse", destination_id="N")
    assert right
    assert result.verdict != "differs"
    assert (fields["admin_state_up"]["verdict"], fields["admin_state_up"]["destination"]) == ("not carried", True)
    assert "was there already" in fields["admin_state_up"]["reason"]


def test_what_was_there_already_must_still_be_there(context):
    del context.destination.tables["network"]["N"]
    _, _, fields = verify(context, "reuse", destination_id="N")
    assert fields["(resource)"]["verdict"] != "equal"


def test_what_is_left_out_is_named_with_the_reason(context):
    right, result, fields = verify(context, "skip")
    assert right
    assert result.verdict == "not carried"
    assert fields["(resource)"]["reason"] == "a reason"


def test_losses_that_the_plan_announced_are_in_the_result_once(context):
    losses = [Loss("password", "(hidden)", "set a new one"), Loss("mtu", 1500, "said before")]
    _, result, fields = verify(context, losses=losses)
    assert (fields["password"]["verdict"], fields["password"]["reason"]) == ("not carried", "set a new one")
    assert [field["field"] for field in result.fields].count("mtu") == 1


def test_secrets_are_compared_but_not_kept(context):
    user_data = "OS-EXT-SRV-ATTR:user_data"
    for cloud, id_, told in ((context.source, "w", "czNjcmV0"), (context.destination, "W", "MHRoZXI=")):
        cloud.put("server", id_, name="web", flavor={"id": None}, **{user_data: told})
    context.store.map(PAIR, "server", "w", "W", migration_id=context.migration_id, unit="unit", created=True)
    _, result, fields = verify(context, type_="server", id_="w")
    assert fields[user_data]["verdict"] == "differs"
    assert "czNjcmV0" not in repr(result)
    assert "MHRoZXI=" not in repr(result)


def test_a_server_is_compared_with_what_it_was_before_we_stopped_it(context):
    for cloud, id_, status in ((context.source, "w", "SHUTOFF"), (context.destination, "W", "ACTIVE")):
        cloud.put("server", id_, name="web", flavor={"id": None}, status=status)
    context.store.map(PAIR, "server", "w", "W", migration_id=context.migration_id, unit="unit", created=True)
    context.before["server", "w"] = {**context.source.tables["server"]["w"], "status": "ACTIVE"}
    right, _, fields = verify(context, type_="server", id_="w")
    assert right
    assert fields["status"]["verdict"] == "equal"
    # Later on, either side may have been switched on or off on purpose.
    context.before.clear()
    _, _, fields = verify(context, "reuse", type_="server", id_="w")
    assert "status" not in fields


def test_the_proof_of_the_bytes_is_kept_and_found_again_in_later_runs(context):
    for cloud, id_ in ((context.source, "i"), (context.destination, "I")):
        cloud.put("image", id_, name="img", status="active")
    context.store.map(PAIR, "image", "i", "I", migration_id=context.migration_id, unit="unit", created=True)
    context.copied("image", "i", Copied(7, "aa", "aa", "bb", 1.23456).proof())
    _, result, _ = verify(context, type_="image", id_="i")
    assert (result.bytes["size"], result.bytes["source_sha512"], result.bytes["destination_sha512"]) == (7, "aa", "bb")
    later = context.store.start_migration(PAIR, {}, {}, {})
    second = dataclasses.replace(context, migration_id=later, evidence={})
    _, again, _ = verify(second, "reuse", type_="image", id_="i", destination_id="I")
    assert again.bytes == result.bytes


@pytest.mark.parametrize(
    ("action", "verdict", "reason"),
    [
        ("create", "failed", "the unit's failure"),
        ("conflict", "failed", "a reason"),
        ("skip", "not carried", "a reason"),
    ],
)
def test_a_failure_is_kept_for_each_of_the_units_resources(context, action, verdict, reason):
    item = Item("network", "n", "net", action, "a reason")
    note_failure(context, Unit("unit", "network", "", [item]), "the unit's failure")
    result, fields = kept(context)
    assert (result.verdict, fields["(resource)"]["reason"]) == (verdict, reason)


def test_what_was_there_already_is_compared_though_its_unit_failed(context):
    item = Item("network", "n", "net", "reuse", "is there already", destination_id="N")
    note_failure(context, Unit("unit", "network", "", [item]), "the unit's failure")
    result, fields = kept(context)
    assert result.verdict == "equal"
    assert fields["name"]["verdict"] == "equal"
