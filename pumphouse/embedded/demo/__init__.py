"""A tenant to try things out with: made in the old cloud, and its people's proof that they can work in the new one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pumphouse.embedded.demo.account import Account

SIZES = ("small", "large")


def fill(
    source: Account, destination: Account, size: str, disk: bytes | None = None, say: Callable[[str], None] = print
) -> str:
    """Make the tenant ``acme``; the name of its domain. ``disk``: a raw one that boots, else random bytes."""
    from pumphouse.embedded.demo import acme, large

    made = acme.fill(source, destination, disk or os.urandom(2 * acme.MIB), say)
    if size == "large":
        large.grow(made, say)
    return str(made.domain["name"])
