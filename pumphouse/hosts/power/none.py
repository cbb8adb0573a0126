"""Hosts that are switched by hand: nothing is switched, and it is said what somebody has to do."""

from __future__ import annotations

from typing import NoReturn

from pumphouse.hosts.power.base import Power, PowerError, State


class ByHand(Power):
    """No BMC."""

    name = "none"

    def check(self) -> None:
        """Say so at once, rather than in the middle of something."""
        self._refuse("it cannot be switched from here")

    def state(self) -> State:
        """Nobody knows."""
        return "unknown"

    def on(self) -> None:
        """Refuse."""
        self._refuse("switch it on by hand")

    def off(self, soft: bool = False) -> None:
        """Refuse."""
        self._refuse("switch it off by hand")

    def boot_from_network(self, once: bool = True) -> None:
        """Refuse."""
        self._refuse("choose network boot at its console")

    def _refuse(self, what: str) -> NoReturn:
        raise PowerError(f"{self.host.name} has no BMC in the inventory (bmc.kind: none): {what}, or describe its BMC")
