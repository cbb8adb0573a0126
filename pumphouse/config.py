"""The configuration file: found, read, validated; the only place where configuration and its secrets are read.

Its shape is a public contract, see ``docs/configuration.md``. Every complaint is one line: the file, the path
of the key, what is wrong with it, what is allowed. A secret is never part of one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from pumphouse.database_url import check_url
from pumphouse.errors import ConfigError
from pumphouse.names import KINDS, RULES
from pumphouse.yaml_file import Reader, kind, parse

Role = Literal["source", "destination"]

#: Both have to be described.
ROLES: tuple[Role, ...] = ("source", "destination")

#: What else there may be, beside the clouds.
SECTIONS = ("database", "mappings", "networks", "passwords", "api")
#: What somebody may over the API: see docs/api.md.
API_ROLES = ("viewer", "operator", "admin")
#: Numbers of the service's configuration: the least and the most that make sense.
API_NUMBERS = {
    "port": (0, 65535),
    "workers": (1, 16),
    "threads": (8, 2000),
    "shutdown_seconds": (0, 3600),
    "concurrency": (1, 64),
    "migrations_at_once": (1, 64),
    "trust_proxy": (0, 8),
}

#: Names a configuration file where ``--config`` does not.
VARIABLE = "PUMPHOUSE_CONFIG"


@dataclass(frozen=True)
class CloudConfig:
    """One of the two clouds."""

    #: Its entry in clouds.yaml.
    cloud: str
    #: SQLAlchemy URL of its Keystone's database, where password hashes are; None: passwords cannot move.
    identity_database: str | None = field(default=None, repr=False)
    #: Where this stands, for complaints: "pumphouse.yaml: clouds.source".
    where: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class ApiConfig:
    """How the service runs."""

    #: Where it listens.
    host: str = "127.0.0.1"
    port: int = 8086
    #: Processes that answer, and threads of each: one for each open page, and some more.
    workers: int = 1
    threads: int = 256
    #: Seconds that what runs is given at the service's end.
    shutdown_seconds: float = 30.0
    #: Units of one migration, and migrations, that run at once.
    concurrency: int = 4
    migrations_at_once: int = 2
    #: Keystone role -> viewer, operator or admin; empty: Keystone's tokens are not accepted.
    keystone_roles: dict[str, str] = field(default_factory=dict)
    #: Proxies in front, whose X-Forwarded-* are believed.
    trust_proxy: int = 0


@dataclass(frozen=True)
class Config:
    """All that can be configured."""

    #: Where this was read from.
    path: Path
    clouds: dict[Role, CloudConfig]
    #: SQLAlchemy URL of our own database.
    database: str = field(repr=False)
    #: Names that differ between the clouds: kind -> name in the source -> name in the destination.
    mappings: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Passwords expire in the destination when they do in the source.
    carry_expiry: bool = False
    #: The service.
    api: ApiConfig = field(default_factory=ApiConfig)


def load(path: str | None = None) -> Config:
    """Read the file at ``path``, or else the first that the search order finds. Raises ConfigError."""
    file = find(path)
    return _Reader(file).config(parse(file))


def find(path: str | None = None) -> Path:
    """The configuration file to use: ``path``, $PUMPHOUSE_CONFIG, or the first of the usual places that exists."""
    for origin, named in (("--config", path), (VARIABLE, os.environ.get(VARIABLE))):
        if named:
            file = Path(named).expanduser()
            if not file.exists():
                raise ConfigError(f"{file}: there is no such file; it was named by {origin}")
            return file
    places = list(_places())
    for place in places:
        if place.exists():
            return place
    raise ConfigError(
        f"no configuration was found; name one with --config or {VARIABLE}, "
        f"or make one of {', '.join(map(str, places))} (docs/configuration.md has an example)"
    )


def _places() -> Iterator[Path]:
    yield Path("pumphouse.yaml")
    yield Path("~/.config/pumphouse/pumphouse.yaml").expanduser()
    yield Path("/etc/pumphouse/pumphouse.yaml")


def default_database() -> str:
    """A SQLite file in the user's state directory, which is made (for its owner only) where it is missing."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    directory = Path(state).expanduser() / "pumphouse"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{directory} cannot be made for our database: {error.strerror}; set 'database' to a SQLAlchemy URL"
        ) from error
    return f"sqlite:///{directory / 'pumphouse.sqlite'}"


class _Reader(Reader):
    """Turns parsed YAML into a Config."""

    def config(self, data: Any) -> Config:
        top = self.mapping(data, "", required=("clouds",), optional=SECTIONS)
        clouds = self.mapping(top["clouds"], "clouds", required=ROLES)
        database = self.url(top["database"], "database") if "database" in top else default_database()
        return Config(
            path=self.file,
            clouds={role: self.cloud(clouds[role], f"clouds.{role}") for role in ROLES},
            database=database,
            mappings={
                **self.mappings(top.get("mappings", {}), "mappings"),
                **self.rules(top.get("networks", {}), "networks"),
            },
            carry_expiry=self.carry_expiry(top.get("passwords", {}), "passwords"),
            api=self.api(top.get("api", {}), "api"),
        )

    def cloud(self, data: Any, path: str) -> CloudConfig:
        found = self.mapping(data, path, required=("cloud",), optional=("identity_database",))
        name = found["cloud"]
        if not isinstance(name, str) or not name:
            raise self.wrong(f"{path}.cloud", f"is {kind(name)}; allowed: the name of an entry in clouds.yaml")
        url = found.get("identity_database")
        if url is not None:
            url = self.url(url, f"{path}.identity_database")
        return CloudConfig(name, url, where=f"{self.file}: {path}")

    def carry_expiry(self, data: Any, path: str) -> bool:
        """Of ``passwords``: its only key."""
        value = self.mapping(data, path, required=(), optional=("carry_expiry",)).get("carry_expiry", False)
        if not isinstance(value, bool):
            raise self.wrong(f"{path}.carry_expiry", f"is {kind(value)}; allowed: true or false")
        return value

    def api(self, data: Any, path: str) -> ApiConfig:
        """How the service runs; what is not said is as usual."""
        found = self.mapping(data, path, required=(), optional=tuple(f.name for f in fields(ApiConfig)))
        for name, (least, most) in API_NUMBERS.items():
            value = found.get(name, least)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise self.wrong(f"{path}.{name}", f"is {kind(value)}; allowed: a whole number from {least} to {most}")
        if not isinstance(found.get("host", ""), str):
            raise self.wrong(f"{path}.host", f"is {kind(found['host'])}; allowed: an address or a name")
        roles = self.mapping_of_names(found.get("keystone_roles", {}), f"{path}.keystone_roles")
        for role, ours in roles.items():
            if ours not in API_ROLES:
                raise self.wrong(f"{path}.keystone_roles.{role}", f"is something else; allowed: {', '.join(API_ROLES)}")
        return ApiConfig(**{**found, "keystone_roles": roles})

    def rules(self, data: Any, path: str) -> dict[str, dict[str, str]]:
        """Choices about networks that differ from the usual ones."""
        chosen = self.mapping(data, path, required=(), optional=("provider",)).get("provider", "choose")
        if chosen not in ("carry", "choose"):
            raise self.wrong(f"{path}.provider", "is something else; allowed: carry, choose")
        return {RULES: {f"{path}.provider": "carry"}} if chosen == "carry" else {}

    def mappings(self, data: Any, path: str) -> dict[str, dict[str, str]]:
        """Names that differ, by kind."""
        kinds = self.mapping(data, path, required=(), optional=KINDS)
        return {one: self.mapping_of_names(names, f"{path}.{one}") for one, names in kinds.items()}

    def mapping_of_names(self, data: Any, path: str) -> dict[str, str]:
        """Names in the source, each with its name in the destination; Keystone's roles, each with one of ours."""
        allowed = "a mapping of names in the source to names in the destination"
        if not isinstance(data, dict):
            raise self.wrong(path, f"is {kind(data)}; allowed: {allowed}")
        for name, other in data.items():
            for text, what in ((name, "the name in the source"), (other, "the name in the destination")):
                if not isinstance(text, str) or not text:
                    hint = "; write it in quotes" if isinstance(text, bool | int | float) else ""
                    raise self.wrong(f"{path}.{name}", f"{what} is {kind(text)}; allowed: a text{hint}")
        return dict(data)

    def url(self, value: Any, path: str) -> str:
        """A SQLAlchemy URL; the file of a relative SQLite path is taken from the configuration's directory."""
        url = self.secret(value, path)
        try:
            return check_url(url, self.file.absolute().parent)
        except ValueError as error:
            raise self.wrong(path, str(error)) from None
