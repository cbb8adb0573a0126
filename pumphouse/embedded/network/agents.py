"""Agents, and the availability zones that they are in."""

from __future__ import annotations

import datetime
import uuid

from pumphouse.embedded.network import queries
from pumphouse.embedded.network.errors import missing
from pumphouse.embedded.network.part import Part
from pumphouse.embedded.service import Json

#: With Linux bridges, on the first host: what each agent tells of itself.
_LINUXBRIDGE: tuple[tuple[str, str, str, str | None, Json], ...] = (
    ("Linux bridge agent", "neutron-linuxbridge-agent", "N/A", None,
     {"bridge_mappings": {}, "devices": 0, "extensions": [], "interface_mappings": {"public": "pub0"},
      "l2_population": False, "tunnel_types": ["vxlan"], "tunneling_ip": "127.0.0.1"}),
    ("DHCP agent", "neutron-dhcp-agent", "dhcp_agent", "nova",
     {"dhcp_driver": "neutron.agent.linux.dhcp.Dnsmasq", "dhcp_lease_duration": 86400, "log_agent_heartbeats": False,
      "networks": 0, "ports": 0, "subnets": 0}),
    ("L3 agent", "neutron-l3-agent", "l3_agent", "nova",
     {"agent_mode": "legacy", "ex_gw_ports": 0, "extensions": [], "floating_ips": 0,
      "handle_internal_only_routers": True, "interface_driver": "linuxbridge", "interfaces": 0,
      "log_agent_heartbeats": False, "routers": 0}),
)  # fmt: skip


class Agents(Part):
    """What runs on the hosts."""

    def index(self) -> Json:
        """GET of all; nothing for who is no operator."""
        asked = queries.filters(("id", "agent_type", "binary", "host", "topic", "availability_zone", "alive",
                                 "admin_state_up", "description", "configurations"))  # fmt: skip
        rows = self._all() if self.service.token.admin else []
        rows = [row for row in rows if all(queries.equal(row.get(name), values) for name, values in asked.items())]
        body: Json = {"agents": rows}
        return body

    def show(self, id_: str) -> Json:
        """GET of one."""
        for row in self._all() if self.service.token.admin else ():
            if row["id"] == id_:
                return {"agent": row}
        raise missing("AgentNotFound", f"Agent {id_} could not be found.")

    def delete(self, id_: str) -> None:
        """Remove one. That of a machine that runs is there again at its next report, and so at the next look."""
        agent = self.show(id_)["agent"]
        if agent["alive"]:
            return
        state = self.service.state
        state.deleted_agents.add(id_)
        if not any(row["host"] == agent["host"] for row in self._all()):
            state.hosts.remove(agent["host"])

    def _all(self) -> list[Json]:
        """Of a machine that does not report any more, those that were not deleted."""
        found = []
        for row in self._of_hosts():
            row["alive"] = self.service.reports(row["host"])
            if row["alive"]:
                self.service.state.deleted_agents.discard(row["id"])
            if row["alive"] or row["id"] not in self.service.state.deleted_agents:
                found.append(row)
        return found

    def _of_hosts(self) -> list[Json]:
        moment = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
        hosts = self.service.hosts
        if self.service.backend == "ovn":
            return [_chassis(host, moment) for host in hosts]
        of_bridges = [(host, *_LINUXBRIDGE[0]) for host in hosts]
        return [_agent(*one, moment) for one in [*of_bridges, *((hosts[0], *one) for one in _LINUXBRIDGE[1:] if hosts)]]


def _agent(host: str, kind: str, binary: str, topic: str, zone: str | None, configurations: Json, moment: str) -> Json:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{binary}.{host}")),
        "agent_type": kind,
        "binary": binary,
        "topic": topic,
        "host": host,
        "admin_state_up": True,
        "created_at": moment,
        "started_at": moment,
        "heartbeat_timestamp": moment,
        "description": None,
        "resources_synced": None,
        "availability_zone": zone,
        "alive": True,
        "configurations": configurations,
    }


def _chassis(host: str, moment: str) -> Json:
    return {
        "binary": "ovn-controller",
        "host": host,
        "heartbeat_timestamp": moment,
        "availability_zone": "",
        "topic": "n/a",
        "description": "",
        "configurations": {"chassis_name": host, "bridge-mappings": ""},
        "agent_type": "OVN Controller Gateway agent",
        "id": host,
        "alive": True,
        "admin_state_up": True,
    }


class Zones(Part):
    """Where agents are. OVN's hosts are in none."""

    def names(self) -> list[str]:
        """All of them."""
        return ["nova"] if self.service.backend == "linuxbridge" else []

    def check(self, resource: str, hints: list[str]) -> None:
        """Refuse (404) a zone that is not there."""
        for name in hints:
            if name not in self.names():
                raise missing("AvailabilityZoneNotFound", f"AvailabilityZone {name} could not be found.")

    def index(self) -> Json:
        """GET."""
        asked = queries.filters(("name", "resource", "state"))
        rows = [{"state": "available", "resource": resource, "name": name}
                for name in self.names() for resource in ("network", "router")]  # fmt: skip
        rows = [row for row in rows if all(queries.equal(row[name], values) for name, values in asked.items())]
        body: Json = {"availability_zones": rows}
        return body
