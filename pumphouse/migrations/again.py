"""``verify``: what a migration moved is read again from both clouds and compared, on demand the bytes too.

Bytes are compared where nobody writes them: images; volumes that are detached, or whose servers are stopped, in both
clouds. Each side's Cinder writes the volume into a temporary raw image (qcow2 is another file each time), which is
read and hashed. What a guest has written to since it booted in the destination (a root disk that is no volume, always)
cannot be compared any more: there the hashes of the transfer stand.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import threading
from collections.abc import Callable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain
from pumphouse.errors import PumphouseError
from pumphouse.migrations.verify import note_left_alone, verify_unit
from pumphouse.names import Names
from pumphouse.planning.plan import Item, Plan, Unit
from pumphouse.resources.base import FieldVerdict, Wire
from pumphouse.resources.compute.server import boots_from_volume
from pumphouse.resources.registry import TYPES
from pumphouse.store import Migration, Store
from pumphouse.tasks.base import tidy
from pumphouse.tasks.context import Context
from pumphouse.tasks.volumes import copy_of, upload, wait_image, wait_volume
from pumphouse.transfer.glance import Glance
from pumphouse.transfer.progress import DONE, Progress
from pumphouse.transfer.stream import Interrupted

#: The field under which a comparison of bytes stands in the results.
BYTES = "(bytes)"
#: What stands for a unit, for the temporary things of a verification.
UNIT = "verify"
CHUNK = 1 << 20


class IncomparableError(Exception):
    """Somebody may be writing to the bytes, or they cannot be read."""


@dataclasses.dataclass
class Compared:
    """The bytes of one resource on both sides."""

    type: str
    id: str
    name: str
    #: equal, differs, or not comparable.
    verdict: str
    reason: str = ""
    size: int | None = None
    sha512: str = ""


def verify(
    source: Cloud, destination: Cloud, store: Store, migration: Migration, say: Callable[[str], None], workers: int = 4
) -> None:
    """Compare every resource by its fields, and keep the results in the place of the earlier ones."""
    context, plan = _context(source, destination, store, migration), Plan.from_json(migration.plan)
    context.evidence.update({(r.type, r.source_id): r.bytes for r in store.results(migration.id) if r.bytes})
    states = {unit.name: unit.state for unit in store.units(migration.id)}

    def work(unit: Unit) -> None:
        mine = dataclasses.replace(context, unit=unit.name)
        if states.get(unit.name) == DONE:
            verify_unit(mine, unit, later=True)
        else:
            # Of what it should have made nothing is there; what was there before still is.
            note_left_alone(mine, unit)

    with concurrent.futures.ThreadPoolExecutor(workers, "verify") as pool:
        running = {pool.submit(work, unit): unit for unit in plan.units}
        for number, future in enumerate(concurrent.futures.as_completed(running), 1):
            future.result()
            say(f"compared {number} of {len(plan.units)} units: {running[future].title}")


def verify_bytes(
    source: Cloud, destination: Cloud, store: Store, migration: Migration, say: Callable[[str], None]
) -> list[Compared]:
    """Read images and volumes back in both clouds and compare what comes; the results are kept beside the fields."""
    context, plan = _context(source, destination, store, migration), Plan.from_json(migration.plan)
    states = {unit.name: unit.state for unit in store.units(migration.id)}
    found = []
    for unit in plan.units:
        for item in unit.items:
            if (
                item.type not in (*_HASHES, "server")
                or item.action not in ("create", "reuse")
                or states.get(unit.name) != DONE
            ):
                continue
            compared = _compare(context, item, say)
            if compared is not None:
                found.append(compared)
                _keep(context, compared)
    return found


def _context(source: Cloud, destination: Cloud, store: Store, migration: Migration) -> Context:
    names = Names(Plan.from_json(migration.plan).mappings)
    never = threading.Event()
    return Context(source, destination, store, Progress(), migration.pair, migration.id, UNIT, never, names)


def _compare(context: Context, item: Item, say: Callable[[str], None]) -> Compared | None:
    """None for what has no bytes of its own."""
    there = context.lookup(item.type, item.id) or item.destination_id
    result = Compared(item.type, item.id, item.name, "not comparable")
    try:
        sides = []
        for cloud, id_ in ((context.source, item.id), (context.destination, there)):
            wire = TYPES[item.type].get(cloud, id_) if id_ else None
            if wire is None:
                raise IncomparableError(f"is not in the {cloud.role} any more")
            sides.append((cloud, wire))
        if item.type == "server" and any(boots_from_volume(wire) for _, wire in sides):
            return None
        if item.type == "server":
            raise IncomparableError(
                "its guest has written to its root disk since it booted; the hashes of the transfer stand"
            )
        for cloud, wire in sides:
            if why := _written(cloud, item.type, wire):
                raise IncomparableError(f"{why} in the {cloud.role}")
        hashes = []
        for cloud, wire in sides:
            say(f"reading {item.type} {item.name} of the {cloud.role}")
            hashes.append(_HASHES[item.type](context, cloud, wire))
    except IncomparableError as error:
        result.reason = str(error)
    except (PumphouseError, Interrupted) as error:
        result.reason = f"could not be read: {error}"
    except Exception as error:
        result.reason = f"could not be read: {explain(error)}"
    else:
        (result.size, result.sha512), other = hashes
        if hashes[0] == other:
            result.verdict = "equal"
        elif sides[1][1].get("attachments"):
            result.reason = (
                "its server has booted in the destination since, and may have written to it; the hashes of the "
                "transfer stand"
            )
        else:
            result.verdict = "differs"
            result.reason = f"{result.size} bytes, sha512 {result.sha512} became {other[0]} bytes, sha512 {other[1]}"
    finally:
        for text in tidy(context):
            context.store.add_event(context.migration_id, "left over", text, unit=UNIT)
    return result


def _written(cloud: Cloud, type_: str, wire: Wire) -> str | None:
    """Why the bytes of a resource do not stand still, or None."""
    if type_ == "image":
        return None if wire["status"] == "active" else f"the image is {wire['status']}"
    if wire["status"] not in ("available", "in-use"):
        return f"the volume is {wire['status']}"
    for attachment in wire.get("attachments") or ():
        server = TYPES["server"].get(cloud, attachment["server_id"])
        if server is None or server["status"] != "SHUTOFF":
            return "a server that is not stopped may write to it"
    return None


def _image(context: Context, cloud: Cloud, wire: Wire) -> tuple[int, str]:
    """(bytes, sha512) of an image, by reading it."""
    digest, size = hashlib.sha512(), 0
    with Glance(cloud).download(wire["id"]) as download:
        while chunk := download.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _volume(context: Context, cloud: Cloud, wire: Wire) -> tuple[int, str]:
    """(bytes, sha512) of all that a volume holds: by a clone, so that it keeps its state, and a raw image of that."""
    attached, readable = wire["status"] == "in-use", wire["id"]
    if not attached:
        name = context.temporary_name("clone", wire["id"])
        readable = copy_of(context, cloud, wire, name, source_volid=wire["id"])["id"]
    name = context.temporary_name("bytes", wire["id"])
    image_id = context.temporary(
        cloud.role, "image", name, lambda: upload(cloud, readable, name, "raw", force=attached)
    )
    image = wait_image(context, cloud, image_id)
    # Cinder lets go of the volume a moment later.
    wait_volume(context, cloud, readable, "in-use" if attached else "available")
    return _image(context, cloud, image)


#: How the bytes of each type are hashed: (size, sha512).
_HASHES: dict[str, Callable[[Context, Cloud, Wire], tuple[int, str]]] = {
    "image": _image,
    "volume": _volume,
}


def _keep(context: Context, compared: Compared) -> None:
    """Beside the resource's other results."""
    results = context.store.results(context.migration_id)
    result = next((r for r in results if (r.type, r.source_id) == (compared.type, compared.id)), None)
    if result is None:
        return
    verdict = compared.verdict if compared.verdict != "not comparable" else "not carried"
    text = compared.sha512 or None
    field = FieldVerdict(BYTES, verdict, text, text if verdict == "equal" else None, compared.reason, False)
    others = [one for one in result.fields if one["field"] != BYTES]
    data: dict[str, Any] = dict(result.bytes or {})
    if compared.verdict == "equal":
        data |= {"read_back_sha512": compared.sha512, "read_back_size": compared.size}
    context.store.save_result(
        context.migration_id,
        result.unit,
        result.type,
        result.source_id,
        result.name,
        result.destination_id,
        "differs" if verdict == "differs" else result.verdict,
        [*others, dataclasses.asdict(field)],
        data or None,
    )
