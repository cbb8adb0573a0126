"""Clouds, their tenants, resources and hosts."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ..clouds.kinds import KINDS
from ..paging import PageQuery
from .base import Answer, Listed, Query

RoleName = Literal["source", "destination"]

_TEXT = 255


class Service(Answer):
    """One service of a cloud."""

    service: str = Field(description="identity, image, compute, network, volume or placement")
    ok: bool
    version: str | None = Field(description="Its newest microversion")
    error: str | None = Field(description="Why it is not ok, in its own words")


class Cloud(Answer):
    """One of the two clouds, and how it is."""

    role: RoleName
    name: str = Field(description="Its entry in clouds.yaml")
    release: str | None = Field(description="A guess, from the newest microversions")
    region: str | None
    auth_url: str
    state: Literal["ok", "degraded", "down"]
    services: list[Service]
    checked: float = Field(description="When its services were asked last")


class CloudList(Answer):
    """Both."""

    items: list[Cloud]


class ServiceFailure(Answer):
    """A service without which something is missing, or old."""

    service: str
    error: str = Field(description="In its own words")


class Read(Listed):
    """A list of what was read from a cloud."""

    complete: bool = Field(
        description="Whether all was read. If not, and nothing failed, it is being read: ask again in a second, or wait"
        " for the event `clouds`"
    )
    failures: list[ServiceFailure] = Field(
        description="Services that fail or do not answer, whose part is missing or old"
    )
    age: float = Field(description="Seconds since it was read")


class ReadQuery(PageQuery):
    """Parts of such lists."""

    search: str | None = Field(None, max_length=_TEXT, description="A part of the name, in any case, or of the id")
    refresh: bool = Field(False, description="Read anew, and wait for that (15 seconds at most)")


class TenantQuery(ReadQuery):
    """Which tenants."""

    domain: str | None = Field(None, max_length=_TEXT, description="Id or name of their domain")
    state: str | None = Field(
        None, max_length=16, description="The state of the newest migration that has them; `none`: no migration has"
    )


class TenantMigration(Answer):
    """The newest migration that has a tenant."""

    id: int
    state: str
    units: int
    units_done: int
    units_failed: int
    bytes_done: int
    bytes_total: int


class Tenant(Answer):
    """A project, and what it has; null is what is not known (yet)."""

    id: str
    name: str
    domain_id: str
    domain_name: str | None
    enabled: bool
    description: str
    servers: int | None
    volumes: int | None
    volume_gib: int | None
    images: int | None
    counterpart_id: str | None = Field(description="The project that stands for it in the other cloud")
    migration: TenantMigration | None


class TenantList(Read):
    """Tenants by name; without the projects of the cloud's services and Pumphouse's own."""

    items: list[Tenant]


class ResourceQuery(ReadQuery):
    """Which resources."""

    project_id: str | None = Field(
        None, max_length=_TEXT, description="The project that owns them; of users: on which they have a role"
    )
    status: str | None = Field(None, max_length=64, description="As the service calls it, in any case")


class Resource(Answer):
    """A resource in a list."""

    type: str
    id: str
    name: str
    project_id: str | None
    status: str | None
    summary: dict[str, Any] = Field(
        description="; ".join(f"{kind.type}: {', '.join(kind.columns)}" for kind in KINDS.values())
    )


class ResourceList(Read):
    """Resources by name."""

    items: list[Resource]


class WholeResource(Answer):
    """A resource as its service shows it."""

    type: str
    id: str
    name: str
    resource: dict[str, Any] = Field(description="The service's own answer; secrets are left out")


class NameQuery(Query):
    """Which names."""

    search: str | None = Field(None, max_length=_TEXT, description="A part of the name, in any case")
    limit: int = Field(1000, ge=1, le=1000, description="How many at most; a longer list is searched")


class NameList(Answer):
    """In the order of the alphabet."""

    items: list[str]
    total: int = Field(description="How many fit in all")
