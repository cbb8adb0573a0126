"""Ironic's API: log-in, requests with a deadline, and its refusals in plain words.

Requests travel through the same sessions as those to the clouds (:mod:`pumphouse.clouds.http`). None is logged: bodies
hold the BMC's password.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pumphouse.clouds import entry, errors, http
from pumphouse.errors import PumphouseError
from pumphouse.hosts.provisioners import address
from pumphouse.hosts.provisioners.base import ProvisionerError

if TYPE_CHECKING:
    import requests
    from keystoneauth1.session import Session

Json = dict[str, Any]

#: Of OpenStack Stein: the first one that takes a configdrive as it is described, rather than as an ISO.
VERSION = "1.56"

#: Where the words are in what an error answer says.
WORDS = ("error_message", "faultstring", "error", "message")

#: What a 409 says when the same request may be taken in a while (read in Ironic's api/controllers and exception.py).
BUSY = ("is locked by", "state transition is in progress", "while it is in state")


class NotFound(ProvisionerError):  # noqa: N818 (what it is)
    """It is not there, or not any more."""


class Refused(ProvisionerError):  # noqa: N818 (what it is)
    """Ironic understands, and will not."""


class BareMetal:
    """One Ironic, of a cloud or standalone. Logs in when the first request is made."""

    def __init__(self, session: Session, where: Mapping[str, Any], name: str) -> None:
        """``where``: keystoneauth's words for the endpoint. ``name``: for sentences, such as "Ironic of cloud new"."""
        self.name = name
        self._session = session
        self._where = where
        self._base: str | None = None
        self._hidden: set[str] = set()

    def hide(self, secret: str) -> None:
        """Whatever Ironic says from now on, this is not part of what we tell: plain, or as JSON or Python write it."""
        self._hidden |= {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]}

    def words(self, text: Any) -> str:
        """Words of Ironic's for a sentence of ours: one line, without secrets."""
        said = str(text or "")
        for secret in sorted(self._hidden, key=len, reverse=True):
            said = said.replace(secret, "***")
        return errors.explain(PumphouseError(said))

    def get(self, path: str) -> Any:
        """What is there. Raises ProvisionerError; NotFound."""
        return self.call("GET", path)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask below /v1: its JSON, or None. Raises ProvisionerError in plain words; Refused; NotFound."""
        try:
            answer = self._session.request(
                self._root() + path, method, json=body, raise_exc=False, redirect=False, log=False,
                microversion=VERSION, endpoint_filter={"service_type": "baremetal"},
                headers={"Accept": "application/json"},
            )  # fmt: skip
        except Exception as error:
            raise self._unreached(error) from None
        if not 200 <= answer.status_code < 300:
            raise self._complaint(answer, f"{method} {urlsplit(answer.url).path}")
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise ProvisionerError(f"{self.name} does not answer as Ironic does: is this its API?") from None

    def _root(self) -> str:
        """Where /v1 is. Catalogues have the endpoint with or without it."""
        if self._base is None:
            from keystoneauth1.adapter import Adapter
            from keystoneauth1.exceptions import EndpointNotFound

            try:
                found = Adapter(self._session, **self._where).get_endpoint()
            except EndpointNotFound:
                found = None
            if not found:
                raise ProvisionerError(f"{self.name}: the catalogue has no baremetal service: is it installed, and "
                                       "is the entry's region right?")  # fmt: skip
            self._base = f"{str(found).rstrip('/').removesuffix('/v1')}/v1"
        return self._base

    def _unreached(self, error: Exception) -> ProvisionerError:
        """There is no answer, or no token."""
        from keystoneauth1.exceptions import SSLError, Unauthorized

        if isinstance(error, ProvisionerError):
            return error
        if isinstance(error, PumphouseError):
            # Not Ironic's: somebody else has taken over what we are doing.
            raise error
        if isinstance(error, Unauthorized):
            return ProvisionerError(f"{self.name}: Keystone refuses the log-in: {self.words(errors.explain(error))}")
        if isinstance(error, SSLError):
            return ProvisionerError(f"{self.name}: its certificate cannot be verified; give its CA's with "
                                    "provisioner.verify, or cacert in clouds.yaml")  # fmt: skip
        passing = errors.is_passing(error)
        return ProvisionerError(f"{self.name} cannot be asked: {self.words(errors.explain(error))}", passing=passing)

    def _complaint(self, answer: requests.Response, what: str) -> ProvisionerError:
        status, words = answer.status_code, self.words(refusal(answer))
        text = f"{self.name} answers {status} to {what}{': ' if words else ''}{words}"
        if 300 <= status < 400:
            return ProvisionerError(f"{self.name} redirects {what} elsewhere: give the right endpoint (https?)")
        if status == 401:
            return ProvisionerError(f"{self.name} refuses the log-in: are auth, username and password right?")
        if status == 403:
            return ProvisionerError(f"{self.name} does not allow {what}: the account needs the role admin there")
        if status == 404:
            return NotFound(text)
        if status == 406:
            return ProvisionerError(f"{self.name} is older than OpenStack Stein: it does not know API {VERSION}")
        busy = status == 409 and any(part in words for part in BUSY)
        passing = busy or status in (408, 429) or status >= 500
        return (Refused if status < 500 else ProvisionerError)(text, passing=passing)


def connect(options: Mapping[str, Any]) -> BareMetal:
    """As the inventory says. No request is made. Raises ProvisionerError for what does not go together."""
    cloud, endpoint = options["cloud"], options["endpoint"]
    if bool(cloud) == bool(endpoint):
        raise ProvisionerError("provisioner.cloud (an entry of clouds.yaml) or provisioner.endpoint (a URL) is needed, "
                               "and not both")  # fmt: skip
    return _of_cloud(cloud, options) if cloud else _standalone(endpoint, options)


def _of_cloud(cloud: str, options: Mapping[str, Any]) -> BareMetal:
    if options["auth"] != "none" or options["username"] or options["password"]:
        raise ProvisionerError("provisioner.auth, username and password are for provisioner.endpoint; of a cloud its "
                               "entry in clouds.yaml has them")  # fmt: skip
    try:
        region, connections = entry.find(cloud, "provisioner.cloud", 1)
    except PumphouseError as error:
        raise ProvisionerError(str(error)) from None
    _once_each(connections)
    session = region.get_session()
    session.timeout = float(options["deadline"])
    where = {
        "service_type": region.get_service_type("baremetal"),
        "service_name": region.get_service_name("baremetal"),
        "interface": region.get_interface("baremetal") or "public",
        "region_name": region.get_region_name("baremetal") or None,
        "endpoint_override": region.get_endpoint("baremetal") or None,
    }
    return BareMetal(session, where, f"Ironic of cloud {cloud}")


def _standalone(endpoint: str, options: Mapping[str, Any]) -> BareMetal:
    import requests
    from keystoneauth1.http_basic import HTTPBasicAuth
    from keystoneauth1.noauth import NoAuth

    who, password = options["username"], options["password"]
    basic = options["auth"] == "http_basic"
    if basic != bool(who and password) or bool(who) != bool(password):
        raise ProvisionerError(
            "provisioner.username and password belong to provisioner.auth: http_basic, and it to them"
        )
    url = _checked(endpoint)
    connections = requests.Session()
    # Nothing from ~/.netrc.
    connections.auth = lambda request: request
    _once_each(connections)
    auth = HTTPBasicAuth(endpoint=url, username=who, password=password.reveal()) if basic else NoAuth(endpoint=url)
    session = http.session(connections, auth=auth, verify=options["verify"], timeout=float(options["deadline"]))
    made = BareMetal(session, {"service_type": "baremetal", "endpoint_override": url}, f"Ironic at {url}")
    if basic:
        made.hide(password.reveal())
    return made


def _once_each(connections: requests.Session) -> None:
    """No request is repeated within a call: whoever polls does that, with a deadline of its own."""
    for scheme in ("https://", "http://"):
        connections.mount(scheme, http.Adapter(max_retries=0))


def _checked(url: str) -> str:
    return address.checked(url, "provisioner.endpoint", "http://10.0.0.2:6385").removesuffix("/v1")


def refusal(answer: requests.Response) -> str:
    """What an error answer says: Ironic writes JSON, or a JSON text within JSON; its web server HTML."""
    text = answer.text
    for _ in range(3):
        try:
            said = json.loads(text)
        except ValueError:
            break
        if isinstance(said, dict):
            said = next((said[key] for key in WORDS if said.get(key)), "")

        text = said if isinstance(said, str) else json.dumps(said)
    return text
