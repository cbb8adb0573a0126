"""Plain REST as one user of one cloud, in the services' own names: nothing of the migration is used here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import Unauthorized
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

Json = dict[str, Any]

#: Microversions in which all that is made here can be told, by clouds from Zed on.
COMPUTE, VOLUME = "2.90", "3.68"
#: Requests that run at once.
WORKERS = 8
#: Seconds that a server or a volume may take, and between two looks.
PATIENCE, LOOK = 240, 0.1


class Service:
    """One API. Raises keystoneauth's exceptions, which have the service's own words."""

    def __init__(self, session: Session, type_: str, microversion: str | None = None) -> None:
        """``type_``: as in the catalogue."""
        self._adapter = Adapter(session, service_type=type_, default_microversion=microversion)

    def call(self, method: str, path: str, **how: Any) -> Any:
        """What is answered; of an envelope, what is in it."""
        answer = self._adapter.request(path, method, **how)
        body = answer.json() if answer.content else {}
        if isinstance(body, dict) and len(body) == 1:
            (inside,) = body.values()
            return inside
        return body

    def get(self, path: str) -> Json:
        """One thing."""
        return dict(self.call("GET", path))

    def list(self, path: str, key: str, **query: Any) -> list[Json]:
        """All of a collection that comes in one page."""
        return list(self._adapter.get(path, params=query).json()[key])

    def make(self, path: str, envelope: str, **fields: Any) -> Json:
        """POST; gives what was made."""
        return dict(self.call("POST", path, json={envelope: fields} if envelope else fields))

    def act(self, path: str, **action: Any) -> None:
        """POST to an action."""
        self.call("POST", f"{path}/action", json=action)


class Account:
    """A user in a project. Threads may share it."""

    def __init__(self, session: Session, auth_url: str) -> None:
        """``auth_url``: where others can log in, too."""
        self.auth_url = auth_url
        self._session = session
        self.identity = Service(session, "identity")
        self.image = Service(session, "image")
        self.compute = Service(session, "compute", COMPUTE)
        self.volume = Service(session, "block-storage", VOLUME)
        self.network = Service(session, "network")

    def person(self, user_id: str, password: str, project_id: str) -> Account:
        """Somebody else."""
        who = Password(self.auth_url, user_id=user_id, password=password, project_id=project_id)
        return Account(Session(who, verify=self._session.verify), self.auth_url)

    def is_let_in(self) -> bool:
        """Whether Keystone takes the password."""
        try:
            self._session.get_token()
        except Unauthorized:
            return False
        return True


def operator(cloud: str) -> Account:
    """The administrator, by an entry of clouds.yaml."""
    from openstack.config import OpenStackConfig

    region = OpenStackConfig().get_one(cloud)
    return Account(region.get_session(), region.config["auth"]["auth_url"])


def wait(service: Service, path: str, status: str) -> Json:
    """Look at something until it has this status."""
    end = time.monotonic() + PATIENCE
    while (seen := service.get(path))["status"] != status:
        if seen["status"].lower() == "error" or time.monotonic() > end:
            raise RuntimeError(f"{path} is {seen['status']}, and not {status}: {seen.get('fault') or seen}")
        time.sleep(LOOK)
    return seen


def at_once(jobs: Iterable[Callable[[], Any]]) -> None:
    """Do them all, several at a time; the first failure ends it."""
    with ThreadPoolExecutor(WORKERS) as pool:
        running = [pool.submit(job) for job in jobs]
        try:
            for one in running:
                one.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
