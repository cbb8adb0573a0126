"""Names that differ between the clouds, as the configuration maps them."""

from __future__ import annotations

from collections.abc import Mapping

#: What may be mapped: the keys of ``mappings`` in the configuration.
KINDS = ("domains", "roles", "flavors", "volume_types", "networks", "availability_zones", "physical_networks")


class Names:
    """Finds the name in the destination of what has a name in the source."""

    def __init__(self, mappings: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """``mappings``: kind -> name in the source -> name in the destination."""
        self.mappings = {kind: dict(names) for kind, names in (mappings or {}).items()}

    def mapped(self, kind: str | None, name: str | None) -> str | None:
        """The name that the configuration gives, or None if it gives none."""
        return self.mappings.get(kind or "", {}).get(name or "")

    def of(self, kind: str, name: str) -> str:
        """The name in the destination: the same, unless the configuration gives another."""
        return self.mapped(kind, name) or name
