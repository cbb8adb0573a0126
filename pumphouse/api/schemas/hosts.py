"""Hosts: what is known of each in the clouds, in the inventory and at its BMC."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from .base import Answer, Body, Query
from .clouds import Read, ReadQuery, RoleName, ServiceFailure


class HostNoted(Answer):
    """What the inventory says of a host; nothing of it is a secret."""

    source: bool = Field(description="It is noted as one of the source: no other host is ever switched off")
    bmc: str = Field(description="How it is switched: ipmi, redfish, command, or none (by hand)")
    provisioner: str | None = Field(description="What makes a compute host of it; null: it cannot be reassigned")


class HostMigration(Answer):
    """A migration that is about a host: it is watched, cancelled, resumed and rolled back as any other."""

    id: int
    state: str


class Host(Answer):
    """A machine that servers run on; null is what its Nova does not tell."""

    id: str
    name: str = Field(description="The hypervisor's, by which the inventory knows it")
    host: str = Field(description="That of its services, as `evacuate` takes it: mostly the same")
    state: str | None = Field(description="up or down")
    status: str | None = Field(description="enabled or disabled")
    servers: int | None
    vcpus: int | None
    vcpus_used: int | None
    memory_mb: int | None
    memory_mb_used: int | None
    local_gb: int | None
    local_gb_used: int | None
    disabled_reason: str | None
    inventory: HostNoted | None = Field(description="Null: the inventory does not have it")
    evacuation: HostMigration | None = Field(description="The newest one; of hosts of the source")
    reassignment: HostMigration | None = Field(description="The newest one")


class HostList(Read):
    """Hosts by name."""

    items: list[Host]


class HostQuery(ReadQuery):
    """Which hosts."""

    status: Literal["enabled", "disabled"] | None = None


class HostService(Answer):
    """A service on a host."""

    binary: str = Field(description="nova-compute or cinder-volume")
    host: str = Field(description="As the service is called: of a cinder-volume with its backend")
    state: str | None = Field(description="up or down")
    status: str | None = Field(description="enabled or disabled")
    disabled_reason: str | None


class HostRoom(Answer):
    """How much of something a host has for servers, ratios and reservations counted, and how much is taken."""

    capacity: int
    used: int


class HostInCloud(Answer):
    """A host as one of the clouds knows it."""

    role: RoleName
    known: bool | None = Field(description="Whether its Nova knows the host; null: it did not tell, see `failures`")
    host: str | None = Field(description="The name of its services")
    services: list[HostService]
    servers: int | None = Field(description="How many live on it")
    room: dict[str, HostRoom] = Field(description="VCPU, MEMORY_MB (MiB) and DISK_GB (GiB), as far as they are told")
    failures: list[ServiceFailure] = Field(description="Services that did not tell their part")


class HostNotedWhole(HostNoted):
    """All that the inventory says of a host, without the options of its drivers."""

    name: str
    macs: list[str]
    roles: list[str]
    disks: dict[str, Any]
    nics: dict[str, Any]


class HostWhole(Answer):
    """A host in both clouds, and in the inventory."""

    name: str
    clouds: list[HostInCloud] = Field(description="Source and destination")
    inventory: HostNotedWhole | None = Field(description="Null: the inventory does not have it")
    inventory_error: str | None = Field(description="Why the inventory cannot be used")
    evacuation: HostMigration | None = Field(
        description="The newest one. Rolled back, Nova may use the host again, and servers stay where they are"
    )
    reassignment: HostMigration | None = Field(description="The newest one")


class PowerQuery(Query):
    """How newly it is to be known."""

    refresh: bool = Field(False, description="Ask anew; else an answer of the last 3 seconds will do")


class PowerAnswer(Answer):
    """Whether a host is on, as its BMC says."""

    name: str
    kind: str = Field(description="How it is switched: `bmc` of the inventory")
    state: Literal["on", "off", "unknown"]
    error: str | None = Field(description="Why it is not known")
    asked: float = Field(description="When")


class PowerWanted(Body):
    """How a host is to be switched."""

    action: Literal["on", "off"]
    soft: bool = Field(False, description="With `off`: have the operating system shut down, rather than cut the power")
    network: bool = Field(False, description="With `on`: boot from the network, this once")

    @model_validator(mode="after")
    def _fits(self) -> PowerWanted:
        if self.soft and self.action != "off":
            raise ValueError("soft is for off")
        if self.network and self.action != "on":
            raise ValueError("network is for on")
        return self


class Needed(Answer):
    """So much of each: VCPU, MEMORY_MB (MiB), DISK_GB (GiB)."""

    model_config = {"extra": "allow"}

    VCPU: int | None = None
    MEMORY_MB: int | None = None
    DISK_GB: int | None = None


class LeavingTenant(Answer):
    """A tenant that leaves."""

    id: str
    name: str
    servers: int
    needs: Needed
    hosts: list[str] = Field(description="On which its servers are")


class OrderStep(Answer):
    """Some tenants leave, and then some hosts are empty."""

    tenants: list[LeavingTenant] = Field(description="None: these hosts are empty already")
    hosts: list[str] = Field(description="That are empty then")
    gives: Needed = Field(description="What these bring to the destination")
    short: Needed = Field(description="What the destination lacks for these tenants; empty: there is room")
    free: Needed = Field(description="What the destination has free afterwards, of what it tells")


class HostOrder(Answer):
    """In which order tenants leave, so that hosts fall empty soon."""

    items: list[OrderStep]
