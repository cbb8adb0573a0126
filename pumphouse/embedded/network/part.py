"""What the parts of the service have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pumphouse.embedded.network.service import Network


class Part:
    """One subject of the service. It keeps nothing: all state is the service's."""

    def __init__(self, service: Network) -> None:
        """``service``: what it is a part of."""
        self.service = service
