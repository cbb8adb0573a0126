"""Plain REST to the two clouds, in the services' own names: nothing of Pumphouse is used here.

An :class:`Account` is one user (or the operator) on one cloud. Its services answer with the JSON of the
API, and raise :class:`RefusedError` with the service's own words.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import openstack
import requests

T = TypeVar("T")
Json = dict[str, Any]

#: The microversions of requests here, unless told: all that is read and made exists in them, in both clouds.
COMPUTE, VOLUME = "2.90", "3.68"


class RefusedError(Exception):
    """A service answered with an error."""

    def __init__(self, method: str, url: str, status: int, text: str) -> None:
        super().__init__(f"{method} {url}: {status} {text[:500]}")
        self.status = status


class LateError(Exception):
    """Something did not happen in its time, or went into an error."""


class Service:
    """One API of one account."""

    def __init__(self, adapter: Any, microversion: str | None = None) -> None:
        self._adapter, self._microversion = adapter, microversion

    def call(self, method: str, path: str, **how: Any) -> requests.Response:
        """The answer; raises RefusedError for 4xx and 5xx, 503 after a few more tries."""
        how.setdefault("microversion", self._microversion)
        for pause in (1, 2, 4, None):
            answer = self._adapter.request(path, method, raise_exc=False, **how)
            if answer.status_code < 400:
                return answer
            if pause is None or answer.status_code != 503:
                break
            time.sleep(pause)
        raise RefusedError(method, answer.url, answer.status_code, answer.text)

    def get(self, path: str, **how: Any) -> Json:
        """One object, out of its envelope."""
        return _inside(self.call("GET", path, **how).json())

    def find(self, path: str, **how: Any) -> Json | None:
        """One object, or None when it does not exist."""
        try:
            return self.get(path, **how)
        except RefusedError as refused:
            if refused.status == 404:
                return None
            raise

    def list(self, path: str, key: str, limit: int = 0, **query: Any) -> list[Json]:
        """Every page of a collection. Pages follow the ``next`` links in each of the services' spellings."""
        found: list[Json] = []
        if limit:
            query["limit"] = limit
        where: str | None = path
        while where:
            page = self.call("GET", where, params=query).json()
            found += page[key]
            where, query = _next(page, key), {}
        return found

    def post(self, path: str, key: str = "", /, **body: Any) -> Json:
        """Make something; ``key`` is its envelope. Gives what the service answers, out of its envelope."""
        answer = self.call("POST", path, json={key: body} if key else body)
        return _inside(answer.json()) if answer.content else {}

    def put(self, path: str, key: str = "", /, **body: Any) -> Json:
        """Change something, or set a thing that has no body of its own."""
        answer = self.call("PUT", path, json={key: body} if key else body)
        return _inside(answer.json()) if answer.content else {}

    def patch(self, path: str, key: str, /, **body: Any) -> Json:
        """Change something of Keystone."""
        return _inside(self.call("PATCH", path, json={key: body}).json())

    def delete(self, path: str) -> None:
        """Delete it; it may be gone already."""
        with ignore(404):
            self.call("DELETE", path)


class Account:
    """One user on one cloud."""

    def __init__(
        self, connection: openstack.connection.Connection, compute: str = COMPUTE, volume: str = VOLUME
    ) -> None:
        self.connection = connection
        self.identity = Service(connection.identity)
        self.image = Service(connection.image)
        self.compute = Service(connection.compute, compute)
        self.volume = Service(connection.block_storage, volume)
        self.network = Service(connection.network)

    @property
    def auth_url(self) -> str:
        """Where Keystone is."""
        return str(self.connection.config.get_auth_args()["auth_url"]).rstrip("/")

    @property
    def project_id(self) -> str:
        """The project of the account's token."""
        return str(self.connection.current_project_id)

    @property
    def user_id(self) -> str:
        """Whose account it is."""
        return str(self.connection.current_user_id)

    def scoped(self, project_id: str) -> Account:
        """The same user in another project."""
        given = self.connection.config.get_auth_args()
        return _connect(
            auth_url=given["auth_url"],
            username=given["username"],
            password=given["password"],
            user_domain_name=given.get("user_domain_name", "Default"),
            project_id=project_id,
        )

    def as_user(self, user_id: str, password: str, project_id: str) -> Account:
        """Another user of the same cloud."""
        return _connect(auth_url=self.auth_url, user_id=user_id, password=password, project_id=project_id)

    def login(self, user_id: str, password: str) -> int:
        """The status with which Keystone answers to a password: 201 lets in, 401 does not."""
        method = {"methods": ["password"], "password": {"user": {"id": user_id, "password": password}}}
        return requests.post(
            f"{self.auth_url}/auth/tokens",
            json={"auth": {"identity": method, "scope": "unscoped"}},
            timeout=60,
        ).status_code


def operator(cloud: str) -> Account:
    """The administrator's account, by its entry in clouds.yaml."""
    return Account(openstack.connect(cloud=cloud))


def wait(look: Callable[[], T], done: Callable[[T], Any], what: str, seconds: float = 240) -> T:
    """Look until it is done. An ERROR of the service, with its fault, or the deadline raises LateError."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if done(seen):
            return seen
        if isinstance(seen, dict) and str(seen.get("status", "")).lower() in (
            "error",
            "killed",
            "error_deleting",
        ):
            raise LateError(f"{what}: {seen.get('status')}: {seen.get('fault') or seen}")
        if time.monotonic() > end:
            raise LateError(f"{what}: not after {seconds:.0f} s; last seen: {str(seen)[:400]}")
        time.sleep(0.4)


def _connect(**auth: str) -> Account:
    return Account(
        openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            auth=auth,
            region_name="RegionOne",
            identity_api_version="3",
        )
    )


@contextlib.contextmanager
def ignore(*statuses: int) -> Iterator[None]:
    """Go on when a service refuses with one of these."""
    try:
        yield
    except RefusedError as refused:
        if refused.status not in statuses:
            raise


def _inside(answer: Any) -> Json:
    """What is in the envelope, if it is one: a single key with an object."""
    if isinstance(answer, dict) and len(answer) == 1:
        (content,) = answer.values()
        if isinstance(content, dict):
            return content
    return answer


def _next(page: Json, key: str) -> str | None:
    links = page.get(f"{key}_links") or []
    if isinstance(page.get("links"), dict):  # Keystone
        return page["links"].get("next")
    for link in links:  # Nova, Cinder, Neutron
        if link["rel"] == "next":
            return link["href"]
    # Glance, whose version is in the endpoint already
    return str(page["next"]).removeprefix("/v2") if "next" in page else None
