"""The first accounts and the service catalogue of a cloud, and a small client of its APIs."""

from __future__ import annotations

import base64
import json
import secrets
import urllib.error
import urllib.request
from typing import Any

from .layout import REGION, VOLUME_TYPE, Cloud, write_private
from .services import Services
from .waiting import LabError

#: `svc` is whom Nova, Neutron and Cinder use among themselves.
SERVICE_USERS = ("nova", "glance", "placement", "cinder", "neutron", "svc")


class Client:
    """Requests with the admin's token."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.token: str | None = None

    def send(self, method: str, url: str, body: object = None) -> tuple[Any, dict[str, str]]:
        """The decoded answer and its headers.  LabError for a refusal, URLError when nobody answers."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["X-Auth-Token"] = self.token
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return (json.loads(text) if text else None), dict(answer.headers)
        except urllib.error.HTTPError as error:
            text = error.read()[:300].decode(errors="replace")
            raise LabError(f"{self.cloud.name}: {method} {url}: {error.code} {text}") from None

    def get(self, url: str) -> Any:
        """The decoded answer to a GET."""
        return self.send("GET", url)[0]

    def post(self, url: str, body: object) -> Any:
        """The decoded answer to a POST."""
        return self.send("POST", url, body)[0]

    def log_in(self) -> None:
        """Get the admin's token on the project `admin`."""
        who = {"name": "admin", "domain": {"name": "Default"}}
        password = {"user": {**who, "password": self.cloud.admin_password}}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": password},
                "scope": {"project": who},
            }
        }
        self.token = self.send("POST", f"{self.cloud.auth_url}/auth/tokens", body)[1]["X-Subject-Token"]


def make_keys(cloud: Cloud) -> None:
    """Keystone's keys for tokens and for stored credentials: files 0 and 1, as its own commands make them."""
    for repository in ("fernet", "credential"):
        for name in ("0", "1"):
            key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            write_private(cloud.state / repository / name, key)


def bootstrap(cloud: Cloud, services: Services) -> None:
    """Keystone's own first account; the password goes by the environment, where no list shows it."""
    make_keys(cloud)
    command = [str(cloud.programs / "keystone-manage"), f"--config-file={cloud.etc}/keystone/keystone.conf"]
    environment = {**services.environment, "OS_BOOTSTRAP_PASSWORD": cloud.admin_password}
    urls = [f"--bootstrap-{kind}-url={cloud.auth_url}" for kind in ("public", "internal", "admin")]
    silent = Services(services.label, cloud.run, services.log, environment)
    silent.call([*command, "bootstrap", "--bootstrap-region-id", REGION, *urls])


def fill_catalogue(cloud: Cloud) -> None:
    """Make the service users, and the services with their endpoints."""
    client, keystone = Client(cloud), cloud.auth_url
    client.log_in()
    project = client.post(f"{keystone}/projects", {"project": {"name": "service", "domain_id": "default"}})
    roles = {role["name"]: role["id"] for role in client.get(f"{keystone}/roles")["roles"]}
    if "service" not in roles:  # Keystone makes it itself from 2023.2 on
        roles["service"] = client.post(f"{keystone}/roles", {"role": {"name": "service"}})["role"]["id"]
    for name in SERVICE_USERS:
        user = {"name": name, "password": cloud.lab.passwords["service"], "domain_id": "default"}
        user_id = client.post(f"{keystone}/users", {"user": user})["user"]["id"]
        for role in ("admin", "service"):
            grant = f"projects/{project['project']['id']}/users/{user_id}/roles/{roles[role]}"
            client.send("PUT", f"{keystone}/{grant}")
    for kind, name, url in _endpoints(cloud):
        service = client.post(f"{keystone}/services", {"service": {"type": kind, "name": name}})["service"]
        for interface in ("public", "internal", "admin"):
            endpoint = {
                "service_id": service["id"],
                "interface": interface,
                "url": url,
                "region_id": REGION,
            }
            client.post(f"{keystone}/endpoints", {"endpoint": endpoint})


def _endpoints(cloud: Cloud) -> list[tuple[str, str, str]]:
    volumes = cloud.url("cinder") + "/v3/%(project_id)s"
    return [
        ("image", "glance", cloud.url("glance")),
        ("placement", "placement", cloud.url("placement")),
        ("compute", "nova", cloud.url("nova") + "/v2.1"),
        ("volumev3", "cinderv3", volumes),
        ("block-storage", "cinder", volumes),
        ("network", "neutron", cloud.url("neutron")),
    ]


def ensure_volume_type(client: Client) -> None:
    """Make the volume type that is Cinder's default, unless it is there."""
    cloud = client.cloud
    project = client.get(f"{cloud.auth_url}/projects?name=admin")["projects"][0]["id"]
    url = f"{cloud.url('cinder')}/v3/{project}/types"
    if any(kind["name"] == VOLUME_TYPE for kind in client.get(url)["volume_types"]):
        return
    specs = {"volume_backend_name": "nfs1"}
    client.post(url, {"volume_type": {"name": VOLUME_TYPE, "extra_specs": specs}})
