"""Makes the plan: roots, discovery, matching, units."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pumphouse.clouds.cloud import Cloud
from pumphouse.errors import Refusal
from pumphouse.names import Names
from pumphouse.planning import mapping, selecting
from pumphouse.planning.accepting import weigh_hazards
from pumphouse.planning.changes import name_changes
from pumphouse.planning.checks import run_checks
from pumphouse.planning.checks.subject import Subject
from pumphouse.planning.discovery import Found, discover
from pumphouse.planning.estimate import estimate
from pumphouse.planning.foreign_images import shared_by_others, with_deleted_image
from pumphouse.planning.interrupted import interrupted
from pumphouse.planning.matching import Matcher
from pumphouse.planning.not_carried import not_carried, other_services
from pumphouse.planning.passwords import check_passwords
from pumphouse.planning.people_left import people_left
from pumphouse.planning.plan import OFF, Item, Loss, Plan, Selection
from pumphouse.planning.units import make_units
from pumphouse.resources.compute.server import HINTS
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from pumphouse.resources.volume.volume import in_server
from pumphouse.store.store import Store


def pair_of(source: Cloud, destination: Cloud) -> str:
    """The name of two clouds in the database: mappings hold between these two only."""
    return f"{source.key} -> {destination.key}"


def make_plan(
    source: Cloud,
    destination: Cloud,
    store: Store,
    selection: Selection,
    say: Callable[[str], None],
    mappings: Mapping[str, Mapping[str, str]] | None = None,
    carry_expiry: bool = False,
) -> Plan:
    """What a migration of ``selection`` would do now. Only reads; ``say`` is told what is being read.

    ``mappings``: names that differ between the clouds, see ``Names``; those of ``selection`` are laid over them.
    ``carry_expiry``: passwords shall expire when they do in the source.

    Raises Refusal for names that are unknown or ambiguous, and when both clouds are the same one.
    """
    if source.key == destination.key:
        raise Refusal(f"source and destination are the same cloud ({source.key})", "check the configuration")
    here, there = Inventory(source, TYPES, say), Inventory(destination, TYPES, say)
    mapping.refuse_unknown(
        selection.mappings, lambda role, kind: mapping.names_of(here if role == "source" else there, kind)
    )
    names = Names(mapping.laid_over(mappings, selection.mappings))
    found = discover(here, selecting.roots(selection, here))
    say("comparing with the destination")
    items = Matcher(here, there, store, pair_of(source, destination), names).match(found)
    _refuse_shared_disks(items, found)
    weigh_hazards(items, found, selection.accepted)
    name_changes(items, found, destination, names)
    for item, image in with_deleted_image(items, found, here):
        item.losses.append(Loss("original image", image, "deleted in the source since: its root disk is carried whole"))
    plan = Plan(selection.to_json(), make_units(items, found), mappings=names.mappings)
    plan.carry_expiry = carry_expiry
    say("checking quotas, room and services")
    plan.findings = [*interrupted(items, found, store), *run_checks(Subject(here, there, items, found))]
    plan.estimate = estimate(plan, found, store, pair_of(source, destination))
    users = [item for item in items if item.type == "user" and item.action == "create"]
    check_passwords(users, source, destination, plan.notes.append)
    for type_, reason in found.unread.items():
        plan.notes.append(f"The {TYPES[type_].plural} of the source cannot be read, and are not carried: {reason}")
    if selection.power == OFF and any(item.type == "server" and item.action == "create" for item in items):
        plan.notes.append(
            "Servers are left shut off in the destination, as was asked for: each boots once there, as Nova boots every"
            " new server, and is stopped then. Shelved ones are shelved again."
        )
    say("looking for what cannot be carried")
    if source.microversion("compute") < HINTS and any(i.type == "server" and i.action == "create" for i in items):
        plan.notes.append("The source's Nova tells no scheduler hints: servers keep their groups, and no other hints.")
    plan.not_carried = not_carried(source, found.projects, plan.notes.append)
    plan.not_carried += shared_by_others(here, found, plan.notes.append)
    plan.not_carried += people_left(here, found, plan.notes.append)
    if found.projects and (others := other_services(source)):
        plan.notes.append(f"Not looked at: what the tenant has in other services ({', '.join(others)}).")
    return plan


def _refuse_shared_disks(items: list[Item], found: Found) -> None:
    """A volume that a server writes to cannot be moved without its server."""
    for item in items:
        server = in_server(found.resources[item.key]) if item.type == "volume" else None
        if server and item.action == "create" and ("server", server) not in found.resources:
            item.action = "conflict"
            item.reason = f"attached to server {server}, which stays: move that server, too, or detach it"
