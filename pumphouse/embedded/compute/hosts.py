"""Hosts and services: ``/os-services``, ``/os-hypervisors``, ``/os-availability-zone``; what Placement is told."""

from __future__ import annotations

from typing import Any

from flask import request

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute import state as states
from pumphouse.embedded.compute.base import Base
from pumphouse.embedded.compute.state import Json, long, now
from pumphouse.embedded.compute.versions import query_int
from pumphouse.embedded.service import RefusedError, body, paged, route

COMPUTE = "nova-compute"
#: States of a migration's record in which a host may be taken away from it.
ENDED = ("accepted", "completed", "done", "confirmed", "reverted", "failed", "error", "cancelled")
#: As the lab's libvirt tells them.
QEMU = 7002022
UPTIME = " 12:00:00 up  1:00,  0 user,  load average: 0.00, 0.00, 0.00\n"
CPU = {
    "arch": "x86_64",
    "model": "qemu64",
    "vendor": "AMD",
    "topology": {"cells": 1, "sockets": 1, "cores": 2, "threads": 1},
    "features": [],
}


class Hosts(Base):
    """What runs where, and whether it is well."""

    # --- for the other services, and for tests ---

    def hosts(self) -> list[Json]:
        """Every host: ``id``, ``name``, and of vcpus, memory_mb and disk_gb the total and ``..._used``."""
        return list(self.state.hosts.values())

    def add_host(self, name: str, **totals: int) -> Json:
        """One more host; ``totals`` (vcpus, memory_mb, disk_gb) other than the usual ones."""
        return states.add_host(self.state, name, **totals)

    def set_host(self, name: str, alive: bool) -> None:
        """A machine starts, and its nova-compute registers itself where it is not known; or it stops."""
        if alive and name not in self.state.hosts:
            self.add_host(name)
        if name in self.state.hosts:
            self.service_of(name)["alive"] = alive

    def service_of(self, host: str) -> Json:
        """A host's nova-compute."""
        return self.state.services[self.state.hosts[host]["service"]]

    def is_up(self, host: str) -> bool:
        """Whether its nova-compute answers."""
        service = self.service_of(host)
        return bool(service["alive"] and not service["forced_down"])

    def zone_of(self, host: str | None) -> str:
        """The availability zone of a host: its aggregate's, or "nova"."""
        zones = (a["metadata"].get("availability_zone") for a in self.state.aggregates.values() if host in a["hosts"])
        return next((zone for zone in zones if zone), "nova")

    # --- services ---

    @route("GET", "/v2.1/os-services")
    def list_services(self) -> Json:
        """Of a host or a program, if asked for."""
        self.demand("os-services:list")
        wanted = {name: request.args[name] for name in ("host", "binary") if request.args.get(name)}
        found = [s for s in self.state.services.values() if all(s[name] == value for name, value in wanted.items())]
        return {"services": [self._view_service(service) for service in found]}

    @route("PUT", "/v2.1/os-services/<id_>")
    def update_service(self, id_: str) -> Json:
        """Enable, disable, force down: by id from microversion 2.53 on, before that by an action."""
        self.demand("os-services:update")
        if not self.since(53):
            return self._act_on_service(id_)
        properties: dict[str, schemas.Schema] = {
            "status": {"type": "string", "enum": ["enabled", "disabled"]},
            "disabled_reason": {"type": "string", "minLength": 1, "maxLength": 255},
            "forced_down": schemas.BOOLEAN,
        }
        given = body()
        schemas.check(given, schemas.thing((), **properties))
        service = self._service(id_)
        if not given.keys() & {"status", "forced_down"}:
            message = "No updates were requested. Fields 'status' or 'forced_down' should be specified."
            raise RefusedError(400, message)
        if given.get("status") == "enabled" and given.get("disabled_reason"):
            raise RefusedError(400, "Specifying 'disabled_reason' with status 'enabled' is invalid.")
        if "status" in given:
            service["disabled"] = given["status"] == "disabled"
            service["disabled_reason"] = given.get("disabled_reason") if service["disabled"] else None
        if "forced_down" in given:
            service["forced_down"] = schemas.truth(given["forced_down"])
        return {"service": self._view_service(service)}

    @route("DELETE", "/v2.1/os-services/<id_>")
    def delete_service(self, id_: str) -> None:
        """A nova-compute without servers, and its hypervisor, its places in aggregates and its provider with it."""
        self.demand("os-services:delete")
        key = "id" if self.since(53) else "number"
        service = next((one for one in self.state.services.values() if str(one[key]) == id_), None)
        if service is None:
            raise RefusedError(404, f"Service {id_} not found.")
        if service["binary"] == COMPUTE:
            self._delete_host(self.state.hosts[service["host"]])
        del self.state.services[service["id"]]

    def _delete_host(self, host: Json) -> None:
        name = host["name"]
        if host["servers"]:
            message = "Unable to delete compute service that is hosting instances. Migrate or delete the instances"
            raise RefusedError(409, f"{message} first.")
        if any(one["status"] not in ENDED and name in (one["source_compute"], one["dest_compute"])
               for one in self.state.migrations.values()):  # fmt: skip
            message = "Unable to delete compute service that has in-progress migrations. Complete the migrations or"
            raise RefusedError(409, f"{message} delete the instances first.")
        for aggregate in self.state.aggregates.values():
            if name in aggregate["hosts"]:
                aggregate["hosts"].remove(name)
        self.cloud.network.leave(name)
        if self.cloud.faults.fails("provider"):
            self.cloud.placement.keep(host)
        del self.state.hosts[name]

    def _act_on_service(self, action: str) -> Json:
        given = body()
        host, binary = given.get("host"), given.get("binary")
        service = next((s for s in self.state.services.values() if s["host"] == host and s["binary"] == binary), None)
        if service is None:
            raise RefusedError(404, f"Could not find binary {binary} on host {host}.")
        self._only_compute(service)
        told: Json = {"host": host, "binary": binary}
        if action == "force-down" and self.since(11):
            service["forced_down"] = told["forced_down"] = schemas.truth(given.get("forced_down"))
        elif action in ("enable", "disable", "disable-log-reason"):
            service["disabled"] = action != "enable"
            service["disabled_reason"] = given.get("disabled_reason") if action == "disable-log-reason" else None
            told["status"] = "disabled" if service["disabled"] else "enabled"
            if service["disabled_reason"]:
                told["disabled_reason"] = service["disabled_reason"]
        else:
            raise RefusedError(404, "Unknown action")
        return {"service": told}

    def _service(self, id_: str) -> Json:
        service = self.state.services.get(id_)
        if service is None:
            raise RefusedError(404, f"Service {id_} could not be found.")
        self._only_compute(service)
        return service

    def _only_compute(self, service: Json) -> None:
        if service["binary"] != COMPUTE:
            message = (
                f"Updating a {service['binary']} service is not supported. Only nova-compute services can be updated."
            )
            raise RefusedError(400, message)

    def _view_service(self, service: Json) -> Json:
        zone = self.zone_of(service["host"]) if service["binary"] == COMPUTE else "internal"
        if service["alive"]:
            service["heartbeat"] = long(now())
        view = {
            "binary": service["binary"],
            "host": service["host"],
            "id": service["id"] if self.since(53) else service["number"],
            "zone": zone,
            "status": "disabled" if service["disabled"] else "enabled",
            "state": "up" if service["alive"] and not service["forced_down"] else "down",
            "updated_at": service["heartbeat"],
            "disabled_reason": service["disabled_reason"],
        }
        return {**view, "forced_down": service["forced_down"]} if self.since(11) else view

    # --- availability zones ---

    @route("GET", "/v2.1/os-availability-zone")
    def list_zones(self) -> Json:
        """Their names."""
        return {
            "availabilityZoneInfo": [
                {"zoneName": zone, "zoneState": {"available": up}, "hosts": None} for zone, up in self._zones().items()
            ]
        }

    @route("GET", "/v2.1/os-availability-zone/detail")
    def list_zones_in_detail(self) -> Json:
        """With what runs in them."""
        self.demand("os-availability-zone:detail")
        hosts: dict[str, dict[str, Json]] = {}
        for service in (self._view_service(s) for s in self.state.services.values()):
            if service["status"] == "enabled":
                told = {"available": service["state"] == "up", "active": True, "updated_at": service["updated_at"]}
                hosts.setdefault(service["zone"], {}).setdefault(service["host"], {})[service["binary"]] = told
        zones = {"internal": True, **self._zones()}
        return {
            "availabilityZoneInfo": [
                {"zoneName": zone, "zoneState": {"available": up}, "hosts": hosts.get(zone, {}) if up else None}
                for zone, up in zones.items()
            ]
        }

    def _zones(self) -> dict[str, bool]:
        """Name -> whether something in it can be used."""
        zones: dict[str, bool] = {}
        for name in self.state.hosts:
            zone = self.zone_of(name)
            zones[zone] = zones.get(zone, False) or not self.service_of(name)["disabled"]
        return dict(sorted(zones.items(), key=lambda pair: not pair[1]))

    # --- hypervisors ---

    @route("GET", "/v2.1/os-hypervisors")
    def list_hypervisors(self) -> Json:
        """Their names and states."""
        self.demand("os-hypervisors:list")
        return self._hypervisors("os-hypervisors", detail=False)

    @route("GET", "/v2.1/os-hypervisors/detail")
    def list_hypervisors_in_detail(self) -> Json:
        """With what they have."""
        self.demand("os-hypervisors:list-detail")
        return self._hypervisors("os-hypervisors/detail", detail=True)

    @route("GET", "/v2.1/os-hypervisors/statistics")
    def hypervisor_statistics(self) -> Json:
        """Of all together; until microversion 2.87."""
        self.between(1, 87)
        self.demand("os-hypervisors:statistics")
        numbers = [self._numbers(host) for host in self.state.hosts.values()]
        total = {field: sum(one[field] for one in numbers) for field in (numbers[0] if numbers else ())}
        return {"hypervisor_statistics": {"count": len(numbers), **total}}

    @route("GET", "/v2.1/os-hypervisors/<id_>")
    def show_hypervisor(self, id_: str) -> Json:
        """One, by its UUID; before microversion 2.53 by a number."""
        self.demand("os-hypervisors:show")
        key = "id" if self.since(53) else "number"
        host = next((host for host in self.state.hosts.values() if str(host[key]) == id_), None)
        if host is None:
            raise RefusedError(404, f"Hypervisor with ID '{id_}' could not be found.")
        return {"hypervisor": self._view_hypervisor(host, detail=True)}

    def _hypervisors(self, path: str, detail: bool) -> Json:
        hosts: list[Json] = list(self.state.hosts.values())
        pattern = request.args.get("hypervisor_hostname_pattern") if self.since(53) else None
        if pattern is not None:
            hosts = [host for host in hosts if pattern in host["name"]]
            if not hosts:
                raise RefusedError(404, f"No hypervisor matching '{pattern}' could be found.")
        limit, marker = self.limits() if self.since(33) else (None, None)
        page, _ = paged(hosts, limit, marker, "id" if self.since(53) else "number")
        found = {"hypervisors": [self._view_hypervisor(host, detail) for host in page]}
        if query_int("limit") and pattern is None and (links := self.next_links(path, page, limit or 0)):
            found["hypervisors_links"] = links
        return found

    def _view_hypervisor(self, host: Json, detail: bool) -> Json:
        service = self.service_of(host["name"])
        ids = "id" if self.since(53) else "number"
        view: Json = {
            "id": host[ids],
            "hypervisor_hostname": host["name"],
            "state": "up" if self.is_up(host["name"]) else "down",
            "status": "disabled" if service["disabled"] else "enabled",
        }
        if detail:
            view |= {
                "hypervisor_type": "QEMU",
                "hypervisor_version": QEMU,
                "host_ip": "127.0.0.1",
                "service": {
                    "id": service[ids],
                    "host": host["name"],
                    "disabled_reason": service["disabled_reason"],
                },
            }
            view |= {"uptime": UPTIME} if self.since(88) else {**self._numbers(host), "cpu_info": CPU}
        if self.since(53) and schemas.truth(request.args.get("with_servers", "false")):
            servers = [self.state.servers[id_] for id_ in host["servers"]]
            view["servers"] = [{"name": self.instance_name(server), "uuid": server["id"]} for server in servers]
        return view

    def _numbers(self, host: Json) -> dict[str, Any]:
        return {
            "vcpus": host["vcpus"],
            "memory_mb": host["memory_mb"],
            "local_gb": host["disk_gb"],
            "vcpus_used": host["vcpus_used"],
            "memory_mb_used": host["memory_mb_used"],
            "local_gb_used": host["disk_gb_used"],
            "free_ram_mb": host["memory_mb"] - host["memory_mb_used"],
            "free_disk_gb": host["disk_gb"] - host["disk_gb_used"],
            "current_workload": 0,
            "running_vms": len(host["servers"]),
            "disk_available_least": host["disk_gb"] - host["disk_gb_used"],
        }

    def instance_name(self, server: Json) -> str:
        """What libvirt calls it: numbered in each cloud."""
        return f"{self.cloud.name}-{server['number']:08x}"
