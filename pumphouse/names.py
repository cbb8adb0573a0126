"""Names that differ between the clouds, as the configuration maps them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: What may be mapped: the keys of ``mappings`` in the configuration.
KINDS = ("domains", "roles", "flavors", "volume_types", "networks", "availability_zones", "physical_networks")
#: Kept beside them: choices of the configuration, as "networks.provider".
RULES = "rules"
#: So many names are listed in a suggestion.
SHOWN = 10


class Names:
    """Finds the name in the destination of what has a name in the source."""

    def __init__(self, mappings: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """``mappings``: kind -> name in the source -> name in the destination."""
        self.mappings = {kind: dict(names) for kind, names in (mappings or {}).items()}

    def rule(self, name: str) -> str | None:
        """What the configuration says of a choice: "networks.provider" is "carry", or None."""
        return self.mappings.get(RULES, {}).get(name)

    def mapped(self, kind: str | None, name: str | None) -> str | None:
        """The name that the configuration gives, or None if it gives none."""
        return self.mappings.get(kind or "", {}).get(name or "")

    def of(self, kind: str, name: str) -> str:
        """The name in the destination: the same, unless the configuration gives another."""
        return self.mapped(kind, name) or name

    def value(self, kind: str | None, value: Any) -> Any:
        """A field's value in the destination, where it is a name of this kind or a list of such."""
        if isinstance(value, list):
            return [self.value(kind, element) for element in value]
        return self.mapped(kind, value) or value if isinstance(value, str) else value


class Counterparts:
    """A lookup that knows the names that differ, too."""

    def __init__(self, lookup: Callable[[str, str], str | None], names: Names) -> None:
        """``lookup``: (type, id in the source) -> id in the destination."""
        self._lookup = lookup
        self.names = names

    def __call__(self, type_: str, id_: str) -> str | None:
        """Id of the counterpart, if there is one."""
        return self._lookup(type_, id_)


def suggestion(wanted: str, existing: Iterable[str]) -> str:
    """What may have been meant, and what there is: "did you mean 'fast'? It has: fast, slow"."""
    names = sorted(set(existing))
    near = difflib.get_close_matches(wanted, names, 1)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    listed = f"it has: {', '.join(names[:SHOWN])}{more}" if names else "it has none"
    return f"did you mean {near[0]!r}? {listed}" if near else listed
