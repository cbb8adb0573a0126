"""A machine, as Fuel sees it when it has booted from the network: what fuel's agent tells Nailgun of it.

Stands in for the agent on machines that have none: pretended ones, and those that run no more than a boot loader.
"""

from __future__ import annotations

import dataclasses
import secrets

import requests

from pumphouse.embedded.nailgun.flavours import Json

GIB = 1 << 30


@dataclasses.dataclass
class Machine:
    """One machine. ``mac`` is that of the interface it boots from; the others have MACs that follow from it."""

    mac: str
    #: Which Fuel's DHCP gave it: 10.20.0.129 to 254.
    ip: str
    disks: int = 2
    #: Bytes of each.
    disk_size: int = 100 * GIB
    interfaces: int = 3

    @property
    def macs(self) -> list[str]:
        """Of all interfaces, the one that boots first."""
        first = self.mac.lower().split(":")
        return [":".join([*first[:4], f"{(int(first[4], 16) + number) % 256:02x}", first[5]])
                for number in range(self.interfaces)]  # fmt: skip

    def facts(self) -> Json:
        """What the agent POSTs. MACs are in capitals, as it has them."""
        interfaces = []
        for number, mac in enumerate(self.macs):
            nic: Json = {"name": f"eth{number}", "mac": mac.upper(), "driver": "virtio_net", "state": "up",
                         "max_speed": 1000, "current_speed": 1000, "bus_info": f"0000:00:{3 + number:02d}.0",
                         "pxe": number == 0, "offloading_modes": []}  # fmt: skip
            interfaces.append(nic | ({"ip": self.ip, "netmask": "255.255.255.0"} if number == 0 else {}))
        disks = [{"name": f"sd{chr(97 + n)}", "disk": f"sd{chr(97 + n)}", "model": "DISK", "size": self.disk_size,
                  "removable": "0", "extra": [f"disk/by-id/{self.mac}-{n}"]} for n in range(self.disks)]  # fmt: skip
        meta = {
            "system": {"manufacturer": "Embedded", "product": "Machine", "serial": self.mac, "fqdn": "bootstrap"},
            "cpu": {"real": 1, "total": 4, "spec": [{"model": "CPU", "frequency": 2400}] * 4},
            "memory": {"total": 16 * GIB, "slots": 1, "maximum_capacity": 16 * GIB},
            "interfaces": interfaces,
            "disks": disks,
        }
        return {"status": "discover", "mac": self.mac.upper(), "ip": self.ip, "is_agent": True, "os_platform": "ubuntu",
                "manufacturer": "Embedded", "platform_name": "Machine", "agent_checksum": secrets.token_hex(20),
                "meta": meta}  # fmt: skip

    def boots(self, url: str) -> int:
        """Tell the Nailgun at ``url``, as the agent does at boot and then every minute. Gives the node's id.

        No token is needed for that. Raises requests' exceptions.
        """
        facts = self.facts()
        answer = requests.post(f"{url}/api/nodes/", json=facts, timeout=30)
        if answer.status_code == 409:
            answer = requests.put(f"{url}/api/nodes/agent/", json=facts, timeout=30)
        answer.raise_for_status()
        return int(answer.json()["id"])
