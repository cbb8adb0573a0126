"""What is in the way of giving a host to Ironic: only reads."""

from __future__ import annotations

from collections.abc import Iterator

from pumphouse.hosts.provisioners.ironic import enrolment
from pumphouse.hosts.provisioners.ironic.api import Json, NotFound
from pumphouse.hosts.provisioners.ironic.books import DEPLOYED, Books, moving

#: What a deploy interface needs of instance_info: one of these sets of keys. Of others nothing is known here.
IMAGES = {
    "direct": ({"image_source"},),
    "ramdisk": ({"kernel", "ramdisk"}, {"boot_iso"}, {"image_source"}),
    "anaconda": ({"image_source"},),
    "ansible": ({"image_source"},),
    "bootc": ({"image_source"},),
}


def obstacles(books: Books) -> Iterator[str]:
    """Sentences. Raises ProvisionerError."""
    node = books.node()
    if node is None:
        described = enrolment.node(books.host, books.options)
        yield from _enabled(books, described["driver"], enrolment.interfaces(books.options))
        deploy = described.get("deploy_interface") or _default_deploy(books, described["driver"])
    else:
        yield from _hands(books, node)
        yield from _other_than_asked(books, node)
        yield from _enabled(books, node["driver"], {})
        deploy = node["deploy_interface"]
    if not books.options["adopt"]:
        yield from _image(books, deploy)


def _hands(books: Books, node: Json) -> Iterator[str]:
    """Whether somebody else has the node, or we have had it already."""
    if reason := books.taken(node):
        yield reason
    elif node["provision_state"] == "active":
        yield f"{books.said(node)} is active as {books.host.name} already"
    elif moving(node) and node["provision_state"] in DEPLOYED:
        yield f"{books.host.name} is being deployed right now, as {books.said(node)}: it is {node['provision_state']}"
    elif node["reservation"] and not moving(node):
        yield f"{books.said(node)} is locked by Ironic's conductor {node['reservation']}: something is done to it"
    if node["protected"]:
        why = f" ({books.api.words(node['protected_reason'])})" if node.get("protected_reason") else ""
        yield f"{books.said(node)} is protected{why}: it could not be undeployed again"


def _other_than_asked(books: Books, node: Json) -> Iterator[str]:
    """A node that is there stays as it is described: what the inventory says otherwise would be lost."""
    asked = {**enrolment.interfaces(books.options)}
    if books.options["driver"]:
        asked["driver"] = books.options["driver"]
    for field, value in asked.items():
        if node[field] != value:
            name = field.replace("_", " ")
            yield f"{books.said(node)} has the {name} {node[field]}, and not {value} as the inventory says: change one"


def _enabled(books: Books, driver: str, interfaces: dict[str, str]) -> Iterator[str]:
    """Whether this Ironic has the driver, with such interfaces."""
    known = _driver(books, driver)
    if known is None:
        names = ", ".join(sorted(one["name"] for one in books.api.get("/drivers")["drivers"])) or "none"
        yield f"{books.api.name} has no conductor with the driver {driver} (enabled_hardware_types); it has {names}"
        return
    for field, value in interfaces.items():
        enabled = known.get(f"enabled_{field}s") or []
        if value not in enabled:
            name = field.replace("_", " ")
            yield (f"{books.api.name} has no {name} {value} enabled for the driver {driver}; "
                   f"it has {', '.join(sorted(enabled)) or 'none'}")  # fmt: skip


def _default_deploy(books: Books, driver: str) -> str | None:
    return (_driver(books, driver) or {}).get("default_deploy_interface")


def _driver(books: Books, driver: str) -> Json | None:
    try:
        return dict(books.api.get(f"/drivers/{driver}"))
    except NotFound:
        return None


def _image(books: Books, deploy: str | None) -> Iterator[str]:
    wanted = IMAGES.get(deploy or "")
    given = set(books.options["instance_info"])
    if wanted and not any(keys <= given for keys in wanted):
        ways = ", or ".join(" and ".join(sorted(keys)) for keys in wanted)
        yield f"provisioner.instance_info does not say what to deploy; the deploy interface {deploy} needs {ways}"
