"""A cloud: one account of one OpenStack, its session, its clients, its microversions."""

from __future__ import annotations

import collections
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

from pumphouse.clouds import entry
from pumphouse.clouds.errors import RemedyError

if TYPE_CHECKING:
    import requests
    from keystoneauth1.access import AccessInfoV3
    from keystoneauth1.adapter import Adapter
    from keystoneauth1.session import Session
    from openstack.config.cloud_region import CloudRegion
    from openstack.connection import Connection

    from pumphouse.clouds.network import NetworkAPI
    from pumphouse.clouds.passwords import Passwords
    from pumphouse.config import CloudConfig

T = TypeVar("T")

#: A service by its official type or the name that operators use.
Service = Literal["identity", "image", "compute", "network", "volume", "placement"]

#: Service types in the catalogue; keystoneauth knows their older names ("volumev3").
TYPES: dict[Service, str] = {
    "identity": "identity",
    "image": "image",
    "compute": "compute",
    "network": "network",
    "volume": "block-storage",
    "placement": "placement",
}

#: The newest microversions that the client libraries know (novaclient 18, cinderclient 9).
NEWEST_COMPUTE = (2, 96)
NEWEST_VOLUME = (3, 71)

Version = tuple[int, int]


class Cloud:
    """One account of one cloud, scoped to one project. Threads may share it."""

    def __init__(
        self,
        role: str,
        config: CloudConfig,
        region: CloudRegion,
        connections: requests.Session,
        parent: Cloud | None = None,
    ) -> None:
        """See :meth:`open`. ``parent``: the cloud whose connections and versions are used."""
        #: "source" or "destination".
        self.role = role
        #: The entry in clouds.yaml.
        self.name = config.cloud
        self.region = region
        self._config = config
        self._connections = connections
        self._parent = parent
        self._made: dict[object, Any] = {}
        self._locks: collections.defaultdict[object, threading.RLock] = collections.defaultdict(threading.RLock)

    @classmethod
    def open(cls, role: str, config: CloudConfig, workers: int = 4) -> Cloud:
        """The cloud that ``config`` names; no request is made before it is used.

        ``workers``: how many threads will use it at once. Raises ConfigError when clouds.yaml has no such entry.
        """
        region, connections = entry.find(config.cloud, f"{config.where or f'clouds.{role}'}.cloud", workers)
        return cls(role, config, region, connections)

    def __repr__(self) -> str:
        """Which cloud it is."""
        return f"<Cloud {self.role} {self.name}>"

    def _once(self, key: object, make: Callable[[], T]) -> T:
        """What ``make`` returned the first time it was called for ``key``.

        Each key has a lock of its own: a service that hangs does not hold up who asks for another.
        """
        if key in self._made:
            return cast("T", self._made[key])
        with self._locks[key]:
            if key not in self._made:
                self._made[key] = make()
            return cast("T", self._made[key])

    # --- the session and the account ---

    @property
    def session(self) -> Session:
        """keystoneauth's session: token, connections, time limits, retries, certificates."""
        return self._once("session", self.region.get_session)

    @property
    def sdk(self) -> Connection:
        """openstacksdk over the same session."""

        def make() -> Connection:
            from openstack.connection import Connection

            _ = self.session  # the region keeps it, and so does the connection
            return Connection(config=self.region)

        return self._once("sdk", make)

    @property
    def access(self) -> AccessInfoV3:
        """What the token says of our account. Raises CloudError where the entry uses no Keystone."""
        auth = self.session.auth
        if not hasattr(auth, "get_access"):
            raise RemedyError(
                f"the entry {self.name!r} of clouds.yaml does not authenticate with Keystone", "use a user"
            )
        return cast("AccessInfoV3", auth.get_access(self.session))  # type: ignore[union-attr]

    @property
    def user_id(self) -> str:
        """Our account."""
        return str(self.access.user_id)

    @property
    def project_id(self) -> str:
        """The project that we are in."""
        return str(self.access.project_id)

    @property
    def domain_id(self) -> str:
        """The domain of our account."""
        return str(self.access.user_domain_id)

    @property
    def roles(self) -> list[dict[str, str]]:
        """Our roles in the project: ``id`` and ``name``."""
        access = self.access
        pairs = zip(access.role_ids or (), access.role_names or (), strict=True)
        return [{"id": id_, "name": name} for id_, name in pairs]

    @property
    def auth_url(self) -> str:
        """Where Keystone is, without credentials and trailing slash."""
        parts = urlsplit(str(self.region.config.get("auth", {}).get("auth_url") or ""))
        host = parts.netloc.rpartition("@")[2].lower()
        return urlunsplit((parts.scheme.lower(), host, parts.path.rstrip("/"), "", ""))

    @property
    def key(self) -> str:
        """Names this cloud in our database; it stays the same when ``/v3`` is added to the entry or left out."""
        url = re.sub(r"/v3$", "", self.auth_url) or self.name
        return f"{url} {self.region.region_name or ''}".rstrip()

    def fresh_token(self) -> None:
        """Get a new token: a long upload cannot be sent again when its token expires half-way."""
        self.session.invalidate()
        self.session.get_token()

    def as_project(self, project_id: str) -> Cloud:
        """The same credentials in another project. Raises CloudError where they hold for one project only."""
        if self._parent is not None:
            return self._parent.as_project(project_id)

        def make() -> Cloud:
            region = entry.rescope(self.region, project_id)
            return Cloud(self.role, self._config, region, self._connections, parent=self)

        return self._once(("project", project_id), make)

    def close(self) -> None:
        """Close the connections, to the identity database too."""
        if self._parent is None:
            if passwords := self._made.get("passwords"):
                passwords.close()
            self._connections.close()

    # --- services and their versions ---

    def endpoint(self, service: Service) -> dict[str, Any]:
        """Where the entry in clouds.yaml says a service is found: type, interface, region, override."""
        type_ = TYPES[service]
        if service == "identity":
            # Without a scope in the entry the SDK takes auth_url, which may lack the version.
            override = self.region.config.get("identity_endpoint_override")
        else:
            override = self.region.get_endpoint(type_)
        return {
            "service_type": self.region.get_service_type(type_),
            "service_name": self.region.get_service_name(type_),
            "interface": self.region.get_interface(type_) or "public",
            "region_name": self.region.get_region_name(type_) or None,
            "endpoint_override": override or None,
        }

    def adapter(self, service: Service) -> Adapter:
        """Plain requests to a service, by paths below its endpoint."""

        def make() -> Adapter:
            from keystoneauth1.adapter import Adapter

            return Adapter(self.session, **self.endpoint(service))

        return self._once(("adapter", service), make)

    def url(self, service: Service) -> str:
        """The endpoint of a service as the catalogue or clouds.yaml has it. Raises CloudError when there is none."""
        from keystoneauth1.exceptions import EndpointNotFound

        try:
            url = self.adapter(service).get_endpoint()
        except (EndpointNotFound, ValueError):
            url = None
        if not url:
            where = self.endpoint(service)
            region = f", region {where['region_name']}" if where["region_name"] else ""
            raise RemedyError(
                f"the {self.role} cloud {self.name!r} has no {service} service in its catalogue "
                f"(interface {where['interface']}{region})",
                "check region_name and interface in clouds.yaml",
            )
        return url

    def versions(self, service: Service) -> tuple[Version, Version]:
        """The oldest and the newest microversion of a service; where it has none, its version twice.

        Asked once per cloud. Raises CloudError when the catalogue has no such service.
        """
        if self._parent is not None:
            return self._parent.versions(service)
        return self._once(("versions", service), lambda: self._discover(service))

    def _discover(self, service: Service) -> tuple[Version, Version]:
        # Not by the adapter: where a service does not answer, that quietly makes do with what the URL says.
        from keystoneauth1.discover import Discover

        url = re.sub(rf"/(AUTH_)?{re.escape(self.project_id)}/?$", "", self.url(service))
        found = Discover(self.session, url).version_data(reverse=True)
        if not found:
            raise RemedyError(
                f"the {service} service of the {self.role} tells no version at {url}", "check its endpoint"
            )
        newest = found[0]
        version = (*newest["version"], 0)[:2]
        highest = newest["max_microversion"] or version
        lowest = newest["min_microversion"] or highest
        return cast("Version", tuple(lowest)), cast("Version", tuple(highest))

    def microversion(self, service: Service) -> Version:
        """The newest microversion of a service."""
        return self.versions(service)[1]

    def clamp(self, service: Service, version: Version) -> Version:
        """The version of a service that is nearest to the one wanted."""
        oldest, newest = self.versions(service)
        return max(oldest, min(version, newest))

    # --- clients ---

    @property
    def identity(self) -> Any:
        """keystoneclient's v3 client."""

        def make() -> Any:
            from keystoneclient.v3.client import Client

            return Client(session=self.session, **self.endpoint("identity"))

        return self._once("identity", make)

    @property
    def image(self) -> Any:
        """glanceclient's v2 client."""

        def make() -> Any:
            from glanceclient.v2.client import Client

            where = self.endpoint("image")
            # It writes /v2 itself, which the catalogue may have too.
            where["endpoint_override"] = re.sub(r"/v\d+(\.\d+)?/?$", "", self.url("image"))
            return Client(session=self.session, **where)

        return self._once("image", make)

    @property
    def compute(self) -> Any:
        """novaclient at the newest microversion that both it and the server know."""
        return self.compute_at(".".join(map(str, NEWEST_COMPUTE)))

    def compute_at(self, version: str) -> Any:
        """novaclient at this microversion, or the nearest that the server has."""
        wanted = cast("Version", tuple(int(part) for part in version.split(".")))
        clamped = "{}.{}".format(*self.clamp("compute", min(wanted, NEWEST_COMPUTE)))

        def make() -> Any:
            from novaclient import client

            where = self.endpoint("compute")
            where["endpoint_type"] = where.pop("interface")
            return client.Client(clamped, session=self.session, **where)

        return self._once(("compute", clamped), make)

    @property
    def volume(self) -> Any:
        """cinderclient at the newest microversion that both it and the server know."""
        clamped = "{}.{}".format(*self.clamp("volume", NEWEST_VOLUME))

        def make() -> Any:
            from cinderclient import client

            return client.Client(clamped, session=self.session, **self.endpoint("volume"))

        return self._once(("volume", clamped), make)

    @property
    def network(self) -> NetworkAPI:
        """Neutron, by the names of its wire format."""

        def make() -> NetworkAPI:
            from pumphouse.clouds.network import NetworkAPI

            return NetworkAPI(self.sdk.network)

        return self._once("network", make)

    @property
    def passwords(self) -> Passwords | None:
        """Keystone's password tables; None when the configuration does not name its database."""
        if self._parent is not None:
            return self._parent.passwords
        url = self._config.identity_database
        if url is None:
            return None

        def make() -> Passwords:
            from pumphouse.clouds.passwords import Passwords

            return Passwords(url)

        return self._once("passwords", make)
