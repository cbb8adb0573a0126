"""Nailgun, Fuel's API, versions 6.0 to 11.0: log-in, requests with deadlines, and its refusals in plain words.

What it answers is recorded in tests/contract/nailgun; docs/fuel.md has the traps.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from pumphouse.hosts.options import Secret
from pumphouse.hosts.provisioners import address
from pumphouse.hosts.provisioners.base import ProvisionerError

Json = dict[str, Any]

#: Bytes of the longest answer that is read: a thousand nodes are some twenty million.
LONGEST = 200 << 20
#: Characters of a refusal that are shown.
SHOWN = 300


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back, all of it."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def parsed(self) -> Any:
        """The JSON, or the text. 9.2 answers a PUT of a node with JSON within a JSON text."""
        text = self.content.decode("utf-8", "replace")
        try:
            said = json.loads(text)
            return json.loads(said) if isinstance(said, str) and said[:1] in ("{", "[") else said
        except ValueError:
            return text


class Unauthorized(ProvisionerError):  # noqa: N818 (what it is)
    """The token, or the account, is not accepted."""


class NotFound(ProvisionerError):  # noqa: N818 (what it is)
    """It is not there, or not any more."""


class Refused(ProvisionerError):  # noqa: N818 (what it is)
    """Nailgun understands, and will not."""


class Nailgun:
    """One Fuel master node. Logs in when the first request is made, and again when the token has expired."""

    def __init__(self, url: str, username: str, password: Secret, tenant: str, verify: bool | str, deadline: float,
                 keystone: str | None = None) -> None:  # fmt: skip
        """``verify``: as requests has it. ``deadline``: seconds for one request. No request is made here.

        ``keystone``: where Keystone is, if not below /keystone of ``url``. Raises ProvisionerError for a URL of
        which nothing can be made.
        """
        self.url, self.keystone = _checked(url), _checked(keystone) if keystone else f"{_checked(url)}/keystone"
        self._who, self._password, self._tenant = username, password, tenant
        self._deadline = deadline
        self._token: str | None = None
        self._session = requests.Session()
        self._session.verify = verify
        # Nothing from ~/.netrc.
        self._session.auth = lambda request: request
        self._session.headers["Accept"] = "application/json"

    def get(self, path: str) -> Any:
        """What is there. Raises ProvisionerError; NotFound."""
        return self.call("GET", path)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask below /api: its JSON, or None. Raises ProvisionerError in plain words; Refused; NotFound."""
        if self._token is None:
            self._log_in()
        try:
            return self._send(method, f"{self.url}/api/{path}", body)
        except Unauthorized:
            # Expired: Fuel's tokens are good for hours. A call that was refused has done nothing.
            self._log_in()
            return self._send(method, f"{self.url}/api/{path}", body)

    def begin(self, method: str, path: str, body: Any = None) -> Json:
        """Start a task. Raises ProvisionerError when it has failed already, whatever the HTTP status says."""
        task = self.call(method, path, {} if body is None else body)
        task = task if isinstance(task, dict) else {}
        if task.get("status") == "error":
            raise Refused(f"Fuel at {self.url}: {task.get('name', 'the task')} failed at once: "
                          f"{one_line(task.get('message')) or 'it does not say why'}")  # fmt: skip
        return task

    def _log_in(self) -> None:
        """Get a token: Keystone's v2.0, or v3 where that is gone; none where Nailgun runs without authentication."""
        self._token = ""
        if self._open():
            return
        who = {"username": self._who, "password": self._password.reveal()}
        try:
            answer = self._raw("POST", f"{self.keystone}/v2.0/tokens",
                               {"auth": {"tenantName": self._tenant, "passwordCredentials": who}})  # fmt: skip
            if answer.status in (404, 405, 410):
                answer = self._raw("POST", f"{self.keystone}/v3/auth/tokens", self._version_3())
            self._token = self._token_of(answer)
        except BaseException:
            self._token = None
            raise

    def _open(self) -> bool:
        """Whether no token is needed. 6.0 says so to everybody; later ones refuse the question if one is."""
        answer = self._raw("GET", f"{self.url}/api/version")
        said = answer.parsed()
        return answer.status == 200 and isinstance(said, dict) and said.get("auth_required") is False

    def _version_3(self) -> Json:
        user = {"name": self._who, "password": self._password.reveal(), "domain": {"id": "default"}}
        project = {"name": self._tenant, "domain": {"id": "default"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return {"auth": {"identity": identity, "scope": {"project": project}}}

    def _token_of(self, answer: Answer) -> str:
        if answer.status == 401:
            raise Unauthorized(f"Fuel at {self.url} refuses the log-in of {self._who!r}: is the password right?")
        if answer.status not in (200, 201):
            raise self._complaint(answer, "the log-in")
        said = answer.parsed()
        token = answer.headers.get("X-Subject-Token")
        try:
            return str(token or said["access"]["token"]["id"])
        except (KeyError, TypeError):
            raise ProvisionerError(f"{self.keystone} does not answer as Keystone does") from None

    def _send(self, method: str, url: str, body: Any) -> Any:
        answer = self._raw(method, url, body)
        what = f"{method} {urlsplit(url).path}"
        if answer.status == 401:
            raise Unauthorized(f"Fuel at {self.url} does not accept its own token for {what}")
        if not 200 <= answer.status < 300:
            raise self._complaint(answer, what)
        said = answer.parsed()
        if isinstance(said, str) and method == "GET":
            raise ProvisionerError(f"{self.url} does not answer {what} as Nailgun does: is this Fuel's API?")
        return None if isinstance(said, str) else said

    def _complaint(self, answer: Answer, what: str) -> ProvisionerError:
        status, words = answer.status, self._hidden(refusal(answer))
        text = f"Fuel at {self.url} answers {status} to {what}{': ' if words else ''}{words}"
        if 300 <= status < 400:
            return ProvisionerError(f"Fuel at {self.url} redirects {what} elsewhere: give the right url (https?)")
        if status == 404:
            return NotFound(text)
        # "Cannot perform the actions because there are another running tasks."
        busy = status == 400 and "running task" in words
        passing = busy or status in (408, 429) or status >= 500
        return (Refused if status < 500 else ProvisionerError)(text, passing=passing)

    def _raw(self, method: str, url: str, body: Any = None) -> Answer:
        """One request, all of it within the deadline. Raises ProvisionerError if there is no answer."""
        until = time.monotonic() + self._deadline
        headers = {"X-Auth-Token": self._token} if self._token else {}
        try:
            answer = self._session.request(method, url, json=body, headers=headers, timeout=self._deadline, stream=True,
                                           allow_redirects=False)  # fmt: skip
            with answer:
                content = bytearray()
                # As it comes: a chunk may take for ever.
                while chunk := answer.raw.read1(1 << 16, decode_content=True):
                    content += chunk
                    if time.monotonic() > until or len(content) > LONGEST:
                        raise requests.Timeout("the answer does not end")
            return Answer(answer.status_code, answer.headers, bytes(content))
        except requests.exceptions.SSLError:
            raise ProvisionerError(f"Fuel at {self.url}: its certificate cannot be verified; give its CA's with "
                                   "provisioner.verify") from None  # fmt: skip
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise ProvisionerError(f"Fuel at {self.url} has not answered {method} within {self._deadline:g} seconds",
                                   passing=True) from None  # fmt: skip
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise ProvisionerError(f"Fuel at {self.url} cannot be reached: {_cause(error)}", passing=True) from None

    def _hidden(self, text: str) -> str:
        for secret in (self._password.reveal(), self._token):
            if secret:
                text = text.replace(secret, "***")
        return text


def refusal(answer: Answer) -> str:
    """What an error answer says, in one line: JSON with a message, bare text, an HTML page, or a traceback.

    Its Content-Type tells nothing.
    """
    said = answer.parsed()
    if isinstance(said, dict):
        said = said.get("message") or (said.get("error") or {}).get("message") or ""
    text = str(said or "").strip()
    if text.startswith("Traceback") or "\nTraceback" in text:
        text = text.splitlines()[-1]
    elif "<html" in text[:500].lower():
        title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        text = title[1] if title else ""
    return one_line(text)


def one_line(text: Any) -> str:
    """Words of Nailgun's for a sentence of ours: not too many."""
    words = " ".join(str(text or "").split())
    return words if len(words) <= SHOWN else f"{words[:SHOWN]}..."


def _checked(url: str) -> str:
    return address.checked(url, "provisioner.url", "http://10.20.0.2:8000").removesuffix("/api/v1").removesuffix("/api")


def _cause(error: BaseException) -> str:
    """The innermost reason: "Connection refused"."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__
    return one_line(reason)
