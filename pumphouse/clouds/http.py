"""How requests travel: time limits, pooled connections, retries of what passes, and a last look before changes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import requests
import requests.adapters
from keystoneauth1.session import Session, TCPKeepAliveAdapter
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from pumphouse.clouds import calls, errors
from pumphouse.clouds.errors import PASSING_STATUS

#: Seconds to wait for a connection, and for the next bytes of an answer; a long stream is not cut by it.
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0

#: Requests that may be sent twice. PUT is left out: it may carry a stream, which cannot be rewound.
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})

#: Requests that change nothing.
READING = frozenset({"GET", "HEAD", "OPTIONS"})

#: Asked before each request of this thread that may change something.
_CHECK: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)

#: The longest that a service's Retry-After is obeyed, seconds.
LONGEST_PAUSE = 60.0


class PatientRetry(Retry):
    """urllib3's rules, but a service cannot send us to sleep for hours."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds to wait before the next attempt, where the service says so."""
        pause = super().get_retry_after(response)
        return pause if pause is None else min(pause, LONGEST_PAUSE)


def retries(methods: frozenset[str] = REPEATABLE) -> Retry:
    """Up to four more attempts over some eight seconds; the last failing answer is handed on as it is.

    A connection that was never made is tried again for any method; an answer, or the lack of one, only for
    those ``methods`` that do no harm when done twice.
    """
    return PatientRetry(
        total=4,
        connect=3,
        read=2,
        status=4,
        other=0,
        redirect=None,
        allowed_methods=methods,
        status_forcelist=PASSING_STATUS,
        backoff_factor=0.5,
        raise_on_status=False,
        respect_retry_after_header=True,
    )


class Adapter(TCPKeepAliveAdapter):
    """Keeps connections alive, waits less for a connection than for an answer."""

    def send(self, request: Any, stream: bool = False, timeout: Any = None, **more: Any) -> Any:  # type: ignore[override]
        """Send one request. keystoneauth knows one number of seconds only; it becomes the read timeout."""
        if timeout is None or isinstance(timeout, int | float):
            read = timeout or READ_TIMEOUT
            timeout = (min(CONNECT_TIMEOUT, read), read)
        return super().send(request, stream=stream, timeout=timeout, **more)


def pool(workers: int, auth_url: str) -> requests.Session:
    """Connections for so many workers at once: a transfer uses two, its poll another.

    ``auth_url``: asking for a token is a POST, but one that may be repeated.
    """
    http = requests.Session()
    size = max(10, 3 * workers)
    usual = Adapter(pool_connections=size, pool_maxsize=size, max_retries=retries())
    for scheme in ("https://", "http://"):
        http.mount(scheme, usual)
    if auth_url:
        tokens = Adapter(pool_maxsize=size, max_retries=retries(REPEATABLE | {"POST"}))
        for path in ("/auth/tokens", "/v3/auth/tokens"):
            http.mount(auth_url.rstrip("/") + path, tokens)
    return http


class CheckedSession(Session):
    """keystoneauth's, which looks before it changes something whether it still may (see :func:`checked`), counts
    requests, and is never without a token once it had one.
    """

    def invalidate(self, auth: Any = None) -> bool:
        """Replace the token, rather than take it away: keystoneauth's own (5.18) leaves none for a moment, and a thread
        that asks for it just then fails by an assertion.
        """
        auth = auth or self.auth
        if getattr(auth, "auth_ref", None) is None or not hasattr(auth, "get_auth_ref"):
            return bool(super().invalidate(auth))
        auth.auth_ref = auth.get_auth_ref(self)
        return True

    def request(self, url: str, method: str, *args: Any, **options: Any) -> Any:
        """Send a request. Raises what the check raises; then nothing was sent."""
        if method.upper() not in READING and options.get("authenticated") is not False:
            check_change()
        service = (options.get("endpoint_filter") or {}).get("service_type")
        try:
            response = super().request(url, method, *args, **options)
        except Exception as error:
            calls.count(service, errors.status(error), calls.retries_of(getattr(error, "response", None)))
            raise
        calls.count(service, response.status_code, calls.retries_of(response))
        return response


@contextlib.contextmanager
def checked(check: Callable[[], None]) -> Iterator[None]:
    """Until the block ends, have this thread call ``check`` before each request that may change something."""
    token = _CHECK.set(check)
    try:
        yield
    finally:
        _CHECK.reset(token)


def check_change() -> None:
    """Before something is changed by another way than a session. Raises what the check raises."""
    if check := _CHECK.get():
        check()


def session(http: requests.Session, **options: Any) -> Session:
    """A keystoneauth session over these connections, in the form that openstacksdk asks for one."""
    options["timeout"] = options.get("timeout") or READ_TIMEOUT
    return CheckedSession(session=http, app_name="pumphouse", **options)
