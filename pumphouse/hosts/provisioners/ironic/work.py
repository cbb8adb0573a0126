"""Taking a node from enrolment to active, a step at each call: what is next follows from the node alone.

enroll -> manageable -> (off, inspected) -> available -> active; or manageable -> adopted. Ironic's states are described
in its documentation of the state machine; those that are met here were seen with Ironic 39.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumphouse.hosts.provisioners.base import Progress, ProvisionerError
from pumphouse.hosts.provisioners.ironic import enrolment
from pumphouse.hosts.provisioners.ironic.api import Json, NotFound, Refused
from pumphouse.hosts.provisioners.ironic.books import DEPLOYED, MARK, Books, moving

#: Fields of a node by their paths, and what they become; None removes.
Changes = Sequence[tuple[str, Any]]

#: Where a state is on the way to active, percent.
PERCENT = {"manageable": 0, "cleaning": 5, "clean wait": 10, "available": 20, "deploying": 25, "wait call-back": 30,
           "adopting": 50, "active": 100}  # fmt: skip
#: What it means.
TEXTS = {
    "verifying": "Ironic logs on to the BMC",
    "cleaning": "Ironic cleans the machine",
    "clean wait": "the machine boots Ironic's agent, to be cleaned",
    "deploying": "Ironic deploys",
    "wait call-back": "the machine boots Ironic's agent, or is written to by it",
    "adopting": "Ironic takes the running machine into its books",
    "deleting": "Ironic undeploys",
}
#: From where a node can be undeployed.
UNDEPLOYABLE = frozenset({"active", "deploy failed", "error", "wait call-back", "deploy hold"})
POWER_OFF = "power off"


def prepare(books: Books) -> None:
    """Enrol the host unless Ironic has it, claim the node, begin to manage it."""
    node = books.node() or _enrol(books)
    _check(books, node)
    state = node["provision_state"]
    if state == "active":
        raise ProvisionerError(f"{books.said(node)} is active as {books.host.name} already")
    if state in DEPLOYED and moving(node):
        raise ProvisionerError(f"the host is being deployed right now, as {books.said(node)}: it is {state}")
    if moving(node) and books.marked(node):
        # Begun already, and discover goes on from there.
        return
    if moving(node):
        raise ProvisionerError(f"{books.said(node)} is {state}: that ends by itself", passing=True)
    books.add_ports(node)
    # The time of an inspection says nothing by itself: clocks differ. One that ends from now on changes it.
    node = books.patch(node, *claim(books, node), asked=None, inspected=node["inspection_finished_at"])
    if state == "enroll":
        _manage(books, node)
    elif state in ("inspect failed", "clean failed", "adopt failed"):
        ask(books, node, "manage")
    elif state in ("deploy failed", "error") and not books.options["adopt"]:
        ask(books, node, "deleted")
    elif state in ("deploy failed", "error"):
        raise ProvisionerError(f"{books.said(node)} is {state}: it cannot be adopted, and is not undeployed for that, "
                               "which would switch it off and clean its disks")  # fmt: skip


def discover(books: Books) -> str | None:
    """The node's uuid once it is manageable or available (and off, and inspected); until then, do what is next."""
    node = books.node()
    if node is None:
        return None
    _check(books, node)
    state, asked = node["provision_state"], books.marked(node).get("asked")
    if books.ours(node) and state in DEPLOYED:
        return str(node["uuid"])
    if moving(node):
        return None
    if not books.marked(node):
        # Nobody has called prepare.
        return None
    if node["instance_uuid"] is None:
        # Undeploying has let go of it.
        node = books.patch(node, *claim(books, node))
    if state == "enroll":
        if asked == "manage" and node["last_error"]:
            raise _told(books, node, f"Ironic cannot log on to the BMC of {books.host.name}: {books.error(node)}")
        _manage(books, node)
    elif state == "inspect failed" and asked == "inspect":
        raise _told(books, node, f"{books.said(node)} could not be inspected: {books.error(node)}")
    elif state == "clean failed" and asked in ("deleted", "provide"):
        raise _told(books, node, f"{books.said(node)} could not be cleaned: {books.error(node)}")
    elif state != "manageable" and not (state == "available" and _as_available(books, node)):
        ask(books, node, "manage")
    elif not books.options["adopt"] and node["power_state"] != POWER_OFF:
        if asked == POWER_OFF and node["last_error"]:
            raise _told(books, node, f"{books.said(node)} could not be switched off: {books.error(node)}")
        ask(books, node, POWER_OFF)
    elif _uninspected(books, node):
        ask(books, node, "inspect")
    else:
        return str(node["uuid"])
    return None


def deploy(books: Books) -> None:
    """Begin, or begin again what has failed; nothing if it runs or is done."""
    node = books.node()
    if node is None:
        raise ProvisionerError(f"{books.api.name} knows {books.host.name} no more: it has to be enrolled again")
    _check(books, node)
    state = node["provision_state"]
    if state in DEPLOYED and not books.ours(node):
        raise ProvisionerError(f"{books.said(node)} is {state}, and not by Pumphouse")
    if state == "active" or (moving(node) and state in DEPLOYED):
        return
    if moving(node):
        if books.marked(node).get("asked") == "provide":
            return
        raise ProvisionerError(f"{books.said(node)} is {state}: that ends by itself", passing=True)
    if books.options["adopt"]:
        if state not in ("manageable", "adopt failed"):
            raise ProvisionerError(f"{books.said(node)} is {state}; only a manageable node can be adopted")
        ask(books, node, "adopt", [*claim(books, node), *_info(books)])
    elif state == "manageable":
        ask(books, node, "provide", claim(books, node))
    elif state in ("available", "deploy failed"):
        _activate(books, node)
    elif state == "error":
        ask(books, node, "deleted")
    elif state == "clean failed":
        ask(books, node, "manage")
        raise ProvisionerError(f"{books.said(node)} is made manageable again, after a failed cleaning", passing=True)
    else:
        raise ProvisionerError(f"{books.said(node)} is {state}: it has to be managed first")


def follow(books: Books, known_as: str) -> Progress:
    """How far it is; deploys when the node has become available. ``known_as``: the uuid from discover."""
    node = books.node()
    if node is None:
        return Progress("failed", None, f"{books.api.name} knows the machine no more: node {known_as} was removed")
    if reason := books.taken(node):
        return Progress("failed", None, reason)
    state, asked = node["provision_state"], books.marked(node).get("asked")
    if state == "active":
        what = "adopted" if asked == "adopt" else "deployed"
        return Progress("done", 100, f"{books.said(node)} is active: {what}")
    if state in ("deploy failed", "clean failed", "adopt failed", "error"):
        if asked is None:
            return Progress("waiting", None, f"{books.said(node)} is {state} from before")
        why = books.error(node) or "Ironic does not say why"
        return Progress("failed", None, f"{books.said(node)}: {state}: {why}")
    if moving(node):
        return Progress("deploying", _percent(node), _text(node))
    if state == "available" and asked in ("provide", "active", "deleted"):
        return _second_half(books, node, asked)
    return Progress("waiting", None, f"{books.said(node)} is {state}; its deployment was not begun")


def forget(books: Books) -> None:
    """Undeploy what we deployed, let go of the claim, and remove the node if we enrolled it.

    Raises a passing ProvisionerError while Ironic is still at it.
    """
    node = books.node()
    if node is None or not books.ours(node) or not (mark := books.marked(node)):
        return
    state = node["provision_state"]
    if mark.get("asked") == "adopt" and state == "active":
        _release_adopted(books, node, mark)
        return
    if state == "error" and mark.get("asked") == "deleted":
        raise _told(books, node, f"{books.said(node)} could not be undeployed: {books.error(node)}")
    if state in UNDEPLOYABLE and not node["target_power_state"]:
        ask(books, node, "deleted")
        raise ProvisionerError(f"{books.said(node)} is being undeployed", passing=True)
    if moving(node):
        raise ProvisionerError(f"{books.said(node)} is {state}: it can be let go of when that has ended", passing=True)
    if mark.get("enrolled"):
        _remove(books, node)
    else:
        books.let_go(node)


def ask(books: Books, node: Json, what: str, changes: Changes = (), **body: Any) -> None:
    """Have Ironic do something to the node, after these changes of its fields; what is asked is noted there.

    What somebody has begun in between is not a failure.
    """
    now = books.patch(node, *changes, asked=what)
    kind = "power" if what == POWER_OFF else "provision"
    try:
        books.api.call("PUT", f"/nodes/{node['uuid']}/states/{kind}", {"target": what, **body})
    except Refused as refused:
        seen = books.look(node["uuid"])
        if refused.passing or seen is None or (seen["provision_state"] == now["provision_state"] and not moving(seen)):
            raise


def claim(books: Books, node: Json) -> Changes:
    """What makes it ours. Ironic refuses that if somebody was faster."""
    return [("/instance_uuid", books.claim)] if node["instance_uuid"] is None else []


# --- the parts ---


def _enrol(books: Books) -> Json:
    """A node that is ours from its beginning: so a crash right after it leaves nothing that we do not know again."""
    mark = {"host": books.host.name, "enrolled": True}
    body = enrolment.node(books.host, books.options)
    made = books.api.call("POST", "/nodes", {**body, "instance_uuid": books.claim, "extra": {MARK: mark}})
    return dict(made)


def _manage(books: Books, node: Json) -> None:
    """Have Ironic log on to the BMC; as the inventory says now, if it was we who described the machine."""
    ours = books.marked(node).get("enrolled")
    info = enrolment.driver_info(books.host, books.options) if ours else None
    ask(books, node, "manage", [("/driver_info", info)] if ours else ())


def _activate(books: Books, node: Json) -> None:
    body = {}
    if drive := enrolment.configdrive(books.host, books.options):
        body["configdrive"] = drive
    ask(books, node, "active", [*claim(books, node), *_info(books)], **body)


def _info(books: Books) -> Changes:
    return [("/instance_info", enrolment.instance_info(books.host, books.options))]


def _second_half(books: Books, node: Json, asked: str) -> Progress:
    """Cleaned, and available: the deployment is next, unless it was taken back."""
    if node["instance_uuid"] is None and asked != "deleted":
        return Progress("failed", None, f"somebody has undeployed {books.said(node)}")
    if asked == "active" and node["last_error"]:
        return Progress("failed", None, f"{books.said(node)}: {books.error(node)}")
    try:
        _activate(books, node)
    except ProvisionerError as error:
        if error.passing:
            return Progress("deploying", PERCENT["available"], f"available; {error}")
        return Progress("failed", None, str(error))
    return Progress("deploying", PERCENT["available"], "available; the deployment begins")


def _release_adopted(books: Books, node: Json, mark: Json) -> None:
    """Take a running machine out of the books. Undeploying it would switch it off and clean its disks."""
    if not mark.get("enrolled"):
        raise ProvisionerError(f"{books.said(node)} was adopted and runs; Ironic knows no way back: leave it, or "
                               "remove it there in maintenance")  # fmt: skip
    _remove(books, node)


def _remove(books: Books, node: Json) -> None:
    """In maintenance Ironic removes a node in any state, and touches the machine no more."""
    try:
        path = f"/nodes/{node['uuid']}"
        books.api.call("PUT", f"{path}/maintenance", {"reason": "Pumphouse removes the node"})
        books.api.call("DELETE", path)
    except NotFound:
        # Somebody was faster, or the answer to our own request was lost.
        return


def _check(books: Books, node: Json) -> None:
    if reason := books.taken(node):
        raise ProvisionerError(reason)


def _told(books: Books, node: Json, text: str) -> ProvisionerError:
    """A failure to be raised; the next call tries again."""
    books.patch(node, asked=None)
    return ProvisionerError(text)


def _as_available(books: Books, node: Json) -> bool:
    """Whether it need not be manageable again: inspection and adoption begin there."""
    return not books.options["adopt"] and not _uninspected(books, node)


def _uninspected(books: Books, node: Json) -> bool:
    return bool(books.options["inspect"]) and node["inspection_finished_at"] == books.marked(node).get("inspected")


def _percent(node: Json) -> int | None:
    known = PERCENT.get(node["provision_state"])
    internal = node.get("driver_internal_info") or {}
    steps, index = internal.get("deploy_steps"), internal.get("deploy_step_index")
    if node["provision_state"] in ("deploying", "wait call-back") and steps and isinstance(index, int):
        # From 30 percent on; the last step begins before the end.
        return 30 + 65 * min(index, len(steps)) // len(steps)
    return known


def _text(node: Json) -> str:
    text = TEXTS.get(node["provision_state"], f"the node is {node['provision_state']}")
    step = node.get("deploy_step") or node.get("clean_step") or {}
    return f"{text}: {step['interface']}.{step['step']}" if step.get("step") and step.get("interface") else text
