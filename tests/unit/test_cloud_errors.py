"""What went wrong, whichever library says so; and no secret in what is said."""

from __future__ import annotations

import cinderclient.exceptions
import glanceclient.exc
import keystoneauth1.exceptions
import novaclient.exceptions
import openstack.exceptions
import pytest
import requests
import sqlalchemy.exc

from pumphouse.clouds.errors import AwayError, explain, ignore_missing, is_conflict, is_missing, is_passing, status
from pumphouse.errors import CloudError

MISSING = [
    keystoneauth1.exceptions.NotFound("gone"),
    novaclient.exceptions.NotFound(404, "gone"),
    glanceclient.exc.HTTPNotFound("gone"),
    cinderclient.exceptions.NotFound(404, "gone"),
    openstack.exceptions.NotFoundException("gone", http_status=404),
]
CONFLICTS = [
    keystoneauth1.exceptions.Conflict("taken"),
    novaclient.exceptions.Conflict(409, "taken"),
    glanceclient.exc.HTTPConflict("taken"),
    cinderclient.exceptions.ClientException(409, "taken"),
    openstack.exceptions.ConflictException("taken", http_status=409),
]
HASH = "$2b$12$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUV0123456789"


def names(errors):
    return [type(error).__module__.partition(".")[0] for error in errors]


@pytest.mark.parametrize("error", MISSING, ids=names(MISSING))
def test_missing(error):
    assert status(error) == 404
    assert is_missing(error)
    assert not is_conflict(error)
    assert not is_passing(error)
    assert "gone" in explain(error)
    assert "404" in explain(error)
    with ignore_missing():
        raise error


@pytest.mark.parametrize("error", CONFLICTS, ids=names(CONFLICTS))
def test_conflict(error):
    assert is_conflict(error)
    assert not is_missing(error)
    with pytest.raises(type(error)), ignore_missing():
        raise error


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (keystoneauth1.exceptions.ServiceUnavailable(), True),
        (novaclient.exceptions.OverLimit(429, "slow down"), True),
        (glanceclient.exc.HTTPServiceUnavailable(), True),
        (openstack.exceptions.HttpException("gateway", http_status=502), True),
        (keystoneauth1.exceptions.ConnectFailure("refused"), True),
        (keystoneauth1.exceptions.ConnectTimeout("too long"), True),
        (glanceclient.exc.CommunicationError("Error finding address for http://c:9292: refused"), True),
        (glanceclient.exc.InvalidEndpoint("Error communicating with http://c:9292: timed out"), True),
        (AwayError("the image service does not answer"), True),
        (requests.ConnectionError("reset"), True),
        (requests.exceptions.ChunkedEncodingError("cut"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (keystoneauth1.exceptions.SSLError("certificate verify failed"), False),
        (requests.exceptions.SSLError("certificate verify failed"), False),
        (keystoneauth1.exceptions.InternalServerError(), False),
        (novaclient.exceptions.ClientException(500, "<class 'nova.exception.GlanceConnectionFailed'>"), True),
        (novaclient.exceptions.ClientException(500, "<class 'oslo_messaging.exceptions.MessagingTimeout'>"), True),
        (novaclient.exceptions.ClientException(500, "<class 'KeyError'>"), False),
        (novaclient.exceptions.BadRequest(400, "no"), False),
        (CloudError("ERROR"), False),
        (KeyError("x"), False),
    ],
)
def test_passing(error, passing):
    assert is_passing(error) is passing


def test_a_lost_connection_is_told_shortly():
    wrapped = (
        "Unable to establish connection to http://c:5000/v3: HTTPConnectionPool(host='c', port=5000): Max retries "
        "exceeded with url: /v3 (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f>: "
        "Failed to establish a new connection: [Errno 111] Connection refused'))"
    )
    told = explain(keystoneauth1.exceptions.ConnectFailure(wrapped))
    assert told == "Unable to establish connection to http://c:5000/v3: [Errno 111] Connection refused"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at https://user:pw@c/x", "at https://c/x"),
        ("GET https://c/x?temp_url_sig=abc&y=1 failed", "GET https://c/x failed"),
        (f"hash {HASH} here", "hash *** here"),
        ("token gAAAAABnVq" + "x" * 80, "token ***"),
        ("two\n  lines", "two lines"),
        (
            "<html><head><title>403</title></head><body><h1>Forbidden</h1>no &amp; no</body></html>",
            "403 Forbidden no & no",
        ),
        ("x" * 5000, "x" * 597 + "..."),
    ],
)
def test_one_line_without_secrets(text, told):
    assert explain(CloudError(text)) == told


def test_a_database_error_shows_neither_statement_nor_hash():
    origin = Exception(1045, "Access denied for user 'k'@'h'")
    error = sqlalchemy.exc.OperationalError("UPDATE password SET password_hash=:h", {"h": HASH}, origin)
    assert explain(error) == "the database says: Access denied for user 'k'@'h'"
    assert explain(sqlalchemy.exc.InvalidRequestError(HASH)) == "the database says: InvalidRequestError"


def test_a_fault_of_ours_keeps_its_kind():
    assert explain(KeyError("flavor")) == "KeyError: 'flavor'"
    assert explain(ValueError()) == "ValueError"
