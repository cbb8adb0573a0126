"""What the source cannot list: a plan is made without it, and says so; or it is not made."""

import pytest

from pumphouse.planning.discovery import discover
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES


class BrokenError(Exception):
    http_status = 500


def _refuse(*_: object) -> None:
    raise BrokenError("An unexpected error prevented the server from fulfilling your request.")


@pytest.fixture
def people(monkeypatch):
    """A user, alone."""
    user = {"id": "u", "name": "ann", "domain_id": "d"}
    domain = {"id": "d", "name": "Work"}
    for type_ in TYPES.values():
        if type_.parent in ("user", "domain"):
            monkeypatch.setattr(type(type_), "list_for", lambda *_: [], raising=False)
        monkeypatch.setattr(type(type_), "between", lambda *_: [], raising=False)
    monkeypatch.setattr(type(TYPES["domain"]), "get", lambda *_: domain)
    return user


def test_credentials_that_cannot_be_read_are_named(monkeypatch, people):
    monkeypatch.setattr(type(TYPES["credential"]), "list_for", _refuse)
    found = discover(Inventory(None, TYPES), [("user", people)])
    assert ("user", "u") in found.resources
    assert "unexpected error" in found.unread["credential"]


def test_key_pairs_that_cannot_be_read_end_the_plan(monkeypatch, people):
    monkeypatch.setattr(type(TYPES["keypair"]), "list_for", _refuse)
    with pytest.raises(BrokenError):
        discover(Inventory(None, TYPES), [("user", people)])
