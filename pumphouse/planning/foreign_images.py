"""Images of other projects that a tenant may use: they stay with their owner, and are named."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from pumphouse.planning.discovery import Found
from pumphouse.planning.plan import Item
from pumphouse.resources.base import Wire
from pumphouse.resources.image.member import ImageMember
from pumphouse.resources.inventory import Inventory

#: Glance tells an image's members by one request each. Of more shared images than this nobody is asked.
MOST = 1000
AT_ONCE = 8


def shared_by_others(source: Inventory, found: Found, note: Callable[[str], None]) -> list[Item]:
    """Images that others share with the projects that are moved, and that do not move themselves."""
    projects = set(found.projects)
    if not projects:
        return []
    shared = [
        image
        for image in source.list("image")
        if image.get("visibility") == "shared" and ("image", image["id"]) not in found.resources
    ]
    if len(shared) > MOST:
        note(f"Not looked at: whether others share images with the tenant (the source has {len(shared)} to ask for).")
        return []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        members = pool.map(lambda image: ImageMember().list_for(source.cloud, [image]), shared)
    return [
        _item(image, member, source)
        for image, of_image in zip(shared, members, strict=True)
        for member in of_image
        if member["member_id"] in projects and member["status"] != "rejected"
    ]


def _item(image: Wire, member: Wire, source: Inventory) -> Item:
    owner = source.get("project", image.get("owner") or "")
    whose = f"project {owner['name']}" if owner else "another project"
    reason = f"belongs to {whose}, which shares it ({member['status']}): move that project too, and it is shared again"
    return Item("shared image", ImageMember().id(member), image.get("name") or image["id"], "skip", reason)


def with_deleted_image(items: Iterable[Item], found: Found, source: Inventory) -> Iterable[tuple[Item, str]]:
    """(item, image id) of each server that will be made whose image the source does not have any more."""
    for item in items:
        image = found.resources[item.key].get("image") if item.type == "server" and item.action == "create" else None
        if image and source.get("image", image["id"]) is None:
            yield item, str(image["id"])
