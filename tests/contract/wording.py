"""What Keystone says when it refuses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import requests

from tests.acceptance.clouds import RefusedError


def error(answer: requests.Response) -> str:
    """The message of a refusal, whose form is checked."""
    body = answer.json()["error"]
    assert set(body) == {"code", "message", "title"}
    assert body["code"] == answer.status_code
    return str(body["message"])


@contextlib.contextmanager
def refused(status: int, words: str = "") -> Iterator[None]:
    """What is done inside is refused with this status and these words."""
    with pytest.raises(RefusedError) as caught:
        yield
    assert caught.value.status == status
    assert words in str(caught.value)
