"""One resource, whole, as its service shows it; without what must not be shown."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pumphouse.api.clouds.clouds import Clouds
from pumphouse.api.clouds.kinds import KINDS
from pumphouse.clouds.cloud import Service
from pumphouse.clouds.errors import RemedyError, status
from pumphouse.config import Role
from pumphouse.resources.registry import TYPES

Answer = TypeVar("Answer")
#: Types that can be read one at a time. Credentials are not among them: they are secrets, and nothing else.
READABLE = (*KINDS, "keypair")
#: Seconds that the answer is waited for.
PATIENCE = 10.0
#: What ids are made of: with anything else a path would lead to something else.
_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9_.@ :-]{1,255}")
#: What stands in the place of an id in the paths of lists and the like.
_WORDS = frozenset(("default", "detail", "summary"))
#: Keys that hold secrets wherever they are, declared or not.
_SECRETS = frozenset(
    ("adminpass", "admin_pass", "auth_key", "blob", "os-extended-server-attributes:user_data", "passphrase", "password",
     "password_hash", "private_key", "psk", "secret", "secret_key", "user_data")
)  # fmt: skip


def read(clouds: Clouds, role: Role, type_: str, id_: str) -> dict[str, Any] | None:
    """The service's own answer without its secrets; None where there is no such resource.

    Raises CloudError when the service does not answer in time, and what the client libraries do when it refuses.
    """
    if not valid(type_, id_):
        return None
    cloud, kind = clouds.cloud(role), KINDS.get(type_)
    try:
        found = in_time(clouds, role, kind.service if kind else "compute", lambda: TYPES[type_].get(cloud, id_))
    except Exception as error:
        if status(error) == 400:
            return None  # no id, in the eyes of the service
        raise
    return None if found is None else without_secrets(type_, found)


def in_time(clouds: Clouds, role: Role, service: Service, ask: Callable[[], Answer]) -> Answer:
    """What a service answers, asked in a thread of its crew, so that one that hangs keeps nobody for long.

    Raises CloudError when it does not answer in time, and whatever ``ask`` does.
    """
    done = threading.Event()
    answers: list[Answer] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            answers.append(ask())
        except Exception as error:
            errors.append(error)
        done.set()

    clouds.crew(role, service, "single").do(work)
    if not done.wait(PATIENCE):
        raise RemedyError(
            f"the {service} service of the {role} has not answered for {PATIENCE:.0f} s",
            "see that it runs, then try again",
        )
    if errors:
        raise errors[0]
    return answers[0]


def valid(type_: str, id_: str) -> bool:
    """Whether this can be an id at all. A key pair's has its user's id and its name."""
    parts = id_.split("/")
    return len(parts) == (2 if type_ == "keypair" else 1) and all(
        _ID.fullmatch(part) and part not in _WORDS for part in parts
    )


def without_secrets(type_: str, resource: dict[str, Any]) -> dict[str, Any]:
    """What the declaration of the type calls secret is left out, and what is one by its name."""
    declared = {field.name for field in TYPES[type_].fields if field.secret}
    return {key: _plain(value) for key, value in resource.items() if key not in declared and not _secret(key)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if not _secret(key)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _secret(key: Any) -> bool:
    return str(key).lower() in _SECRETS
