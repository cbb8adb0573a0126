"""Neutron's API by the names of its wire format, over openstacksdk's network proxy.

The SDK's own classes have a second name for many fields, which is how fields get lost; here a resource is the
dict that Neutron sends. Collections are named as in the URL: "security-groups", "qos/policies".
"""

from __future__ import annotations

import builtins
import threading
from typing import Any

#: How many are asked for at once; the server may give fewer.
PAGE = 1000

Wire = dict[str, Any]


class NetworkAPI:
    """The Networking API v2.0. Threads may share it."""

    def __init__(self, proxy: Any) -> None:
        """``proxy``: openstacksdk's network proxy."""
        self._proxy = proxy
        self._lock = threading.Lock()
        self._extensions: set[str] | None = None

    def list(self, collection: str, **filters: Any) -> list[Wire]:
        """All that match, page by page. A list as a filter's value means any of them; None is no filter."""
        key = _plural(collection)
        params: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
        params["limit"] = PAGE
        found: list[Wire] = []
        seen: set[str] = set()
        while True:
            answer = self._call("get", f"/{collection}", params=params)
            page = [item for item in answer.get(key, ()) if item.get("id") not in seen]
            found += page
            seen |= {item["id"] for item in page if "id" in item}
            following = any(link.get("rel") == "next" for link in answer.get(f"{key}_links", ()))
            # Of the link only the fact is used: behind a proxy its host may be wrong.
            if not following or not page or "id" not in page[-1]:
                return found
            params["marker"] = page[-1]["id"]

    def get(self, collection: str, id_: str) -> Wire | None:
        """One, or None when it is not there (or not visible to us)."""
        answer = self._call("get", f"/{collection}/{id_}", missing_is_fine=True)
        return None if answer is None else answer[_singular(collection)]

    def create(self, collection: str, body: Wire) -> Wire:
        """Make one; returns it as the server shows it."""
        key = _singular(collection)
        return self._call("post", f"/{collection}", json={key: body})[key]

    def update(self, collection: str, id_: str, body: Wire) -> Wire:
        """Change the fields in ``body``; returns all of it."""
        key = _singular(collection)
        return self._call("put", f"/{collection}/{id_}", json={key: body})[key]

    def delete(self, collection: str, id_: str) -> None:
        """Remove one; it is no error that it is not there."""
        self._call("delete", f"/{collection}/{id_}", missing_is_fine=True)

    def action(self, collection: str, id_: str, name: str, body: Wire) -> Wire:
        """``PUT COLLECTION/ID/NAME``, as for ``add_router_interface`` and ``add_subports``."""
        return self._call("put", f"/{collection}/{id_}/{name}", json=body)

    def set_tags(self, collection: str, id_: str, tags: builtins.list[str]) -> None:
        """Let it have these tags and no others. Those of ``qos/policies`` are at ``policies``."""
        self.action(collection.rpartition("/")[2], id_, "tags", {"tags": list(tags)})

    def extensions(self) -> set[str]:
        """Aliases of the extensions that this Neutron has; asked once."""
        with self._lock:
            if self._extensions is None:
                answer = self._call("get", "/extensions")
                self._extensions = {extension["alias"] for extension in answer["extensions"]}
            return self._extensions

    def _call(self, method: str, path: str, *, missing_is_fine: bool = False, **options: Any) -> Any:
        """The answer's body; None for a missing thing where that is fine. Raises openstacksdk's HttpException."""
        from openstack.exceptions import raise_from_response

        response = getattr(self._proxy, method)(path, **options)
        if missing_is_fine and response.status_code == 404:
            return None
        raise_from_response(response)
        return response.json() if response.content else {}


def _plural(collection: str) -> str:
    """The key of a list: "security-groups" -> "security_groups", "qos/policies" -> "policies"."""
    return collection.rpartition("/")[2].replace("-", "_")


def _singular(collection: str) -> str:
    """The key of one: "security_group", "policy"."""
    key = _plural(collection)
    return f"{key[:-3]}y" if key.endswith("ies") else key.removesuffix("s")
