"""Plain requests for lists, page by page, in JSON: what the clients' objects add would cost more than the request."""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pumphouse.clouds.cloud import Cloud, Service, Version
from pumphouse.clouds.errors import RemedyError
from pumphouse.errors import CloudError

Wire = dict[str, Any]

#: How many are asked for: first, so that there is something to show at once, and at most.
FIRST, LEAST, MOST = 200, 50, 1000
#: Seconds that a page should take: the next one is larger or smaller, as the last one says; by how much at most.
AIM, GROWTH = 1.5, 5.0
#: Services whose endpoint may have the version of the API at its end or not, and the one that is used here.
VERSIONS: dict[Service, str] = {"identity": "/v3", "image": "/v2", "network": "/v2.0"}
#: Seconds that a request may last, and all pages of a list together.
REQUEST, LIST = 30.0, 300.0


class Closed(CloudError):  # noqa: N818 (nothing went wrong)
    """Nobody wants the rest any more."""


class Reader:
    """Reads one list of one cloud. Its pages are as large as the service is quick."""

    def __init__(self, cloud: Cloud, closed: threading.Event | None = None) -> None:
        """``closed``: once it is set nothing more is asked for."""
        self.cloud = cloud
        self._closed = closed or threading.Event()
        self._size = FIRST
        self._until = time.monotonic() + LIST

    def get(
        self, service: Service, path: str, query: Mapping[str, Any] | None = None, version: Version | None = None
    ) -> Any:
        """One answer. ``version``: the newest microversion whose form is known here.

        Raises whatever keystoneauth does, CloudError when all pages together take too long.
        """
        if self._closed.is_set():
            raise Closed("no longer wanted")
        left = self._until - time.monotonic()
        if left <= 0:
            raise RemedyError(f"the list was not complete after {LIST:.0f} s", "the service is very slow: look into it")
        options: dict[str, Any] = {"timeout": min(left, REQUEST)}
        if version is not None:
            options["microversion"] = "{}.{}".format(*self.cloud.clamp(service, version))
        if service in VERSIONS:
            root = re.sub(r"/v\d+(\.\d+)?/?$", "", self.cloud.url(service).rstrip("/"))
            options["endpoint_override"] = root + VERSIONS[service]
        params = {name: value for name, value in (query or {}).items() if value is not None}
        return self.cloud.adapter(service).get(path, params=params, **options).json()

    def linked(
        self, service: Service, path: str, key: str, query: Mapping[str, Any], version: Version | None = None,
        links: str = "",
    ) -> Iterator[list[Wire]]:  # fmt: skip
        """The pages of a list of Nova, Cinder or Neutron: a link says that there is more."""
        marker = None
        while True:
            ask = functools.partial(self._asked, service, path, key, query, version, marker)
            answer, page = self._page(ask)
            yield page
            following = any(link.get("rel") == "next" for link in answer.get(links or f"{key}_links") or ())
            # Of the link only the fact is used: behind a proxy its host may be wrong.
            if not following or not page or page[-1].get("id") == marker:
                return
            marker = page[-1]["id"]

    def _asked(
        self, service: Service, path: str, key: str, query: Mapping[str, Any], version: Version | None, at: str | None
    ) -> tuple[Wire, list[Wire]]:
        answer = self.get(service, path, {**query, "limit": self._size, "marker": at}, version)
        return answer, answer[key]

    def images(self, query: Mapping[str, Any]) -> Iterator[list[Wire]]:
        """The pages of Glance's list."""
        marker = None
        while True:
            answer, page = self._page(functools.partial(self._asked, "image", "/images", "images", query, None, marker))
            yield page
            if not answer.get("next") or not page:
                return
            marker = page[-1]["id"]

    def identity(self, collection: str, query: Mapping[str, Any] | None = None) -> Iterator[list[Wire]]:
        """The pages of a list of Keystone; older releases give all at once.

        Raises CloudError where the list was cut off and there is no more to be had.
        """
        asked: dict[str, Any] = {**(query or {}), "limit": self._size}
        while True:
            answer, page = self._page(functools.partial(self._plain, collection, asked))
            yield page
            following = (answer.get("links") or {}).get("next")
            if answer.get("truncated") and not following:
                raise RemedyError(
                    f"Keystone cuts its list of {collection} off at {len(page)}",
                    "raise list_limit in its keystone.conf",
                )
            if not following or not page:
                return
            asked = {**dict(parse_qsl(urlsplit(following).query)), "limit": self._size}

    def _plain(self, collection: str, query: Mapping[str, Any]) -> tuple[Wire, list[Wire]]:
        answer = self.get("identity", f"/{collection}", query)
        return answer, answer[collection]

    def _page(self, ask: Callable[[], tuple[Wire, list[Wire]]]) -> tuple[Wire, list[Wire]]:
        """One page; it says how large the next one should be."""
        began = time.monotonic()
        answer = ask()
        took = max(time.monotonic() - began, 0.001)
        self._size = max(LEAST, min(MOST, int(self._size * min(GROWTH, AIM / took))))
        return answer
