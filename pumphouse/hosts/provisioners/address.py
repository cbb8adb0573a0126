"""The address of a provisioner's API, as the inventory has it."""

from __future__ import annotations

from urllib.parse import urlsplit

from pumphouse.hosts.provisioners.base import ProvisionerError


def checked(url: str, key: str, example: str) -> str:
    """The URL without a slash at its end. ``key``: where it stands, ``example``: how it looks when it is right.

    Raises ProvisionerError for what is no URL of http or https, or has an account or parameters: those may be secrets.
    """
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        right = False
    if not right or parts.username or parts.password or parts.query or parts.fragment:
        raise ProvisionerError(f"{key} is to be like {example}, without account or parameters")
    return url.rstrip("/")
