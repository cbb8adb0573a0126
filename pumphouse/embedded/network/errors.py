"""What Neutron says when it refuses. The type of a refusal is the name of Neutron's own exception."""

from __future__ import annotations

from pumphouse.embedded.service import Json, RefusedError


def malformed(message: str) -> RefusedError:
    """The request is not what the API takes."""
    return RefusedError(400, message, "HTTPBadRequest")


def invalid(message: str, type_: str = "InvalidInput") -> RefusedError:
    """A value is impossible."""
    words = f"Invalid input for operation: {message}." if type_ == "InvalidInput" else message
    return RefusedError(400, words, type_)


def bad(resource: str, message: str) -> RefusedError:
    """A request that makes no sense for this kind of resource."""
    return RefusedError(400, f"Bad {resource} request: {message}.", "BadRequest")


def conflict(type_: str, message: str) -> RefusedError:
    """Something is in the way."""
    return RefusedError(409, message, type_)


def missing(type_: str, message: str) -> RefusedError:
    """Not there, or not to be seen by who asks."""
    return RefusedError(404, message, type_)


def forbidden(rule: str) -> RefusedError:
    """A policy says no."""
    return RefusedError(403, f"{rule} is disallowed by policy", "PolicyNotAuthorized")


def port_in_use(port: Json) -> RefusedError:
    """A port that a device has already."""
    return conflict(
        "PortInUse",
        f"Unable to complete operation on port {port['id']} for network {port['network_id']}. Port already has an "
        f"attached device {port['device_id']}.",
    )
