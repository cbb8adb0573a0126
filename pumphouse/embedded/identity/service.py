"""Keystone: all its parts together, and what is in it at first."""

from __future__ import annotations

import itertools
import secrets
from typing import TYPE_CHECKING

from pumphouse.clouds.hashes import VERIFIED
from pumphouse.embedded.identity.assignments import Assignments
from pumphouse.embedded.identity.authentication import Authentication
from pumphouse.embedded.identity.credentials import Credentials
from pumphouse.embedded.identity.database import Database
from pumphouse.embedded.identity.delegations import Delegations
from pumphouse.embedded.identity.model import SYSTEM, Grant, Json, State
from pumphouse.embedded.service import route

if TYPE_CHECKING:
    from pumphouse.embedded.ground import Ground

#: What the services are among themselves.
SERVICE_USERS = ("nova", "glance", "placement", "cinder", "neutron")

#: Which role implies which, from the strongest on. Others follow from none.
CHAIN = {"zed": ("admin", "member", "reader"), "2026.1": ("admin", "manager", "member", "reader")}


class Identity(Authentication, Assignments, Credentials, Delegations):
    """The service."""

    def __init__(self, cloud: Ground, password: str) -> None:
        """``password``: of ``admin``."""
        kinds = VERIFIED[cloud.release.name.title()]
        self.database = Database(cloud.directory / "keystone.sqlite", cloud.release.name, kinds)
        super().__init__(cloud)
        self._bootstrap(password)

    def fresh(self) -> State:
        """Nothing yet."""
        return State()

    def project(self, id_: str) -> Json | None:
        """A project by its id."""
        return self.state.projects.get(id_)

    def user(self, id_: str) -> Json | None:
        """A user by the id."""
        return self.state.users.get(id_)

    def _bootstrap(self, password: str) -> None:
        """As ``keystone-manage bootstrap`` leaves it, and with the services' accounts."""
        self.make_catalogue()
        chain = CHAIN[self.cloud.release.name]
        fixed = {"options": {"immutable": True}}
        roles = {name: self.make_role({"name": name, **fixed})["id"] for name in (*chain, "service")}
        for prior, implied in itertools.pairwise(chain):
            self.state.implied[roles[prior]] = {roles[implied]: None}
        self.make_project({"name": "Default", "description": "The default domain", "is_domain": True}, "default")
        description = "Bootstrap project for initializing the cloud."
        admin = self.make_project({"name": "admin", "description": description, "domain_id": "default"})["id"]
        user = self.make_user({"name": "admin", "password": password, "domain_id": "default"})["id"]
        self.state.grants.add(Grant("user", user, "project", admin, roles["admin"]))
        self.state.grants.add(Grant("user", user, "system", SYSTEM, roles["admin"]))
        service = self.make_project({"name": "service", "domain_id": "default"})["id"]
        for name in SERVICE_USERS:
            fields = {"name": name, "password": secrets.token_urlsafe(), "domain_id": "default"}
            user = self.make_user(fields)["id"]
            for role in ("admin", "service"):
                self.state.grants.add(Grant("user", user, "project", service, roles[role]))

    @route("GET", "/", open=True)
    def list_versions(self) -> tuple[Json, int, Json]:
        """The one there is."""
        return {"versions": {"values": [self._version()]}}, 300, {"Location": f"{self.url}/v3/"}

    @route("GET", "/v3", open=True)
    def show_version(self) -> Json:
        """Version 3."""
        return {"version": self._version()}

    def _version(self) -> Json:
        kind = "application/vnd.openstack.identity-v3+json"
        return {
            "id": self.cloud.release.identity,
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": f"{self.url}/v3/"}],
            "media-types": [{"base": "application/json", "type": kind}],
        }
