"""The Block Storage API as a whole, and what the other services do with volumes."""

from __future__ import annotations

from pumphouse.embedded.volume.actions import Actions
from pumphouse.embedded.volume.facilities import Facilities
from pumphouse.embedded.volume.qos import Qos
from pumphouse.embedded.volume.state import Json


class Volume(Actions, Qos, Facilities):
    """Cinder. Attaching is in ``attachments``, making in ``creation``."""

    def find(self, id_: str) -> Json | None:
        """A volume's record."""
        return self.state.volumes.get(id_)

    def blob(self, id_: str) -> str | None:
        """Its bytes, raw."""
        volume = self.state.volumes.get(id_)
        return volume["blob"] if volume else None

    def set_blob(self, id_: str, blob: str) -> None:
        """A server wrote to it."""
        self.state.volumes[id_]["blob"] = blob

    def delete(self, id_: str) -> None:
        """It is gone in a while; nothing happens if it is gone already. Refuses what is in use."""
        if volume := self.state.volumes.get(id_):
            self.begin_removal(volume)
