"""What went wrong in a cloud, whichever of the five client libraries says so."""

from __future__ import annotations

import contextlib
import html
import re
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pumphouse.errors import CloudError, PumphouseError

#: What Python's HTTP stack wraps around the reason for a lost connection, and that reason.
_LOST = re.compile(
    r"(?:Max retries exceeded|HTTPS?ConnectionPool).*?"
    r"(\[Errno -?\d+\] [^')\"]*|[Tt]imed out|CERTIFICATE_VERIFY_FAILED[^')\"(]*|"
    r"Remote end closed[^')\"]*|Connection reset[^')\"]*)",
    re.DOTALL,
)

#: Tokens and password hashes, wherever they are.
_SECRET = re.compile(r"\bgAAAAA[\w=-]{20,}|\$(?:2[abxy]?|scrypt|pbkdf2-sha512|bcrypt-sha256|6)\$[^\s'\"]{10,}")

#: Answers that say "not now" and not "no".
PASSING_STATUS = frozenset({429, 502, 503, 504})

#: What a 500 says (Nova, Cinder: the exception's class) when the service was well, but not one that it asked.
_AWAY = re.compile(r"<class '[\w.]*(?:Connection(?:Failed|Error)|ConnectFailure|ConnectTimeout|MessagingTimeout)'>")

T = TypeVar("T")

#: The longest line that `explain` gives, characters.
LONGEST = 600


class RemedyError(CloudError):
    """A CloudError that keeps its two halves apart, for who shows them so."""

    def __init__(self, what: str, remedy: str) -> None:
        """``what`` is wrong, and the ``remedy``."""
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy


class AwayError(CloudError):
    """A service says no because it could not reach another one: it may be over in a while."""


class FailedStateError(CloudError):
    """A service took an order, and failed at it later: what it made is of no use, or gone."""


def status(exc: BaseException) -> int | None:
    """The HTTP status that an exception stands for; None when there was no answer.

    Novaclient, cinderclient and glanceclient call it ``code`` (their ``http_status`` is that of the class, which
    may be another), openstacksdk ``status_code``, keystoneauth ``http_status``; requests has it in the response.
    """
    for owner, name in (
        (exc, "code"),
        (exc, "status_code"),
        (exc, "http_status"),
        (getattr(exc, "response", None), "status_code"),
    ):
        value = getattr(owner, name, None)
        if isinstance(value, int) and 100 <= value < 600:
            return value
    return None


def is_missing(exc: BaseException) -> bool:
    """The thing is not there."""
    return status(exc) in (404, 410)


def is_conflict(exc: BaseException) -> bool:
    """The thing is there already, or is in a state that does not allow this."""
    return status(exc) == 409


def is_passing(exc: BaseException) -> bool:
    """May be over in a while: too many requests, a gateway without its service, no connection, no answer in time.

    Not a wrong certificate, and not a 500, which is said for faults that come again; but for one that names the loss
    of another service.
    """
    if isinstance(exc, AwayError):
        return True
    code = status(exc)
    if code is not None:
        return code in PASSING_STATUS or (code == 500 and _AWAY.search(str(exc)) is not None)
    from glanceclient import exc as glanceclient
    from keystoneauth1.exceptions import connection as keystoneauth
    from requests import exceptions as requests
    from urllib3.exceptions import ProtocolError

    if isinstance(exc, keystoneauth.SSLError | requests.SSLError):
        return False
    return isinstance(
        exc,
        # Glanceclient's own for a connection that could not be made, and for one that timed out.
        glanceclient.CommunicationError
        | glanceclient.InvalidEndpoint
        | keystoneauth.ConnectionError
        | requests.ConnectionError
        | requests.Timeout
        | requests.ChunkedEncodingError
        | ProtocolError
        | ConnectionError
        | TimeoutError,
    )


@contextlib.contextmanager
def ignore_missing() -> Iterator[None]:
    """Whatever is done here to a thing that is not there is done already."""
    try:
        yield
    except Exception as error:
        if not is_missing(error):
            raise


def or_none(look: Callable[[], T]) -> T | None:
    """What ``look`` finds, or None where there is nothing."""
    try:
        return look()
    except Exception as error:
        if is_missing(error):
            return None
        raise


def explain(exc: BaseException) -> str:
    """One line in the service's own words, without secrets."""
    if isinstance(exc, PumphouseError):
        return _one_line(str(exc))
    if type(exc).__module__.startswith("sqlalchemy"):
        # Its text holds the statement and its parameters, which may be hashes; the driver's own does not.
        return _one_line(f"the database says: {_driver_words(exc)}")
    text = _words(exc)
    code = status(exc)
    if code is not None and str(code) not in text:
        text = f"{text} (HTTP {code})"
    where = _where(exc)
    if where and where.split(" ")[-1] not in text:
        text = f"{text} ({where})"
    return _one_line(text)


def _words(exc: BaseException) -> str:
    """The message; what Python's HTTP stack wraps around the reason of a lost connection is taken off."""
    details = getattr(exc, "details", None)
    text = str(exc)
    if isinstance(details, str) and details and type(exc).__module__.startswith("openstack"):
        text = details
    if not text.strip():
        return f"{type(exc).__name__}{_line(exc) if isinstance(exc, AssertionError) else ''}"
    reason = _LOST.search(text)
    if reason:
        text = f"{text[: reason.start()].rstrip(' :')}: {reason[1]}"
    if status(exc) is None and type(exc).__module__ == "builtins" and not isinstance(exc, OSError):
        text = f"{type(exc).__name__}: {text}"
    return text


def _line(exc: BaseException) -> str:
    """Where it was raised: of a fault in the code, ours or a library's, nothing else tells what it is."""
    frames = traceback.extract_tb(exc.__traceback__)
    return f" in {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""


def _where(exc: BaseException) -> str:
    """Method and URL of the request, as far as the exception knows them."""
    request = getattr(getattr(exc, "response", None), "request", None)
    method = getattr(exc, "method", None) or getattr(request, "method", None)
    url = getattr(exc, "url", None) or getattr(request, "url", None)
    if not isinstance(url, str):
        return ""
    return f"{method} {url}" if isinstance(method, str) else url


def _driver_words(exc: Any) -> str:
    original = getattr(exc, "orig", None)
    if original is None:
        return type(exc).__name__
    parts = [str(part) for part in original.args if isinstance(part, str)]
    return "; ".join(parts) or type(original).__name__


def _one_line(text: str) -> str:
    if re.search(r"<(html|body|h1|title)", text, re.IGNORECASE):
        text = html.unescape(re.sub(r"(?is)<(style|script).*?</\1>|<[^>]+>", " ", text))
    text = re.sub(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]*@", r"\1", text)
    # Queries may hold signatures of temporary URLs.
    text = re.sub(r"(\bhttps?://[^\s?'\"]+)\?[^\s'\")]*", r"\1", text)
    text = _SECRET.sub("***", text)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
