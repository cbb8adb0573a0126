"""Where ports are plugged in: the part of them that Nova and the agents set."""

from __future__ import annotations

from pumphouse.embedded.network import checks
from pumphouse.embedded.network.attributes import OPEN, READ_ONLY, Attribute
from pumphouse.embedded.service import Json

SECRET = ("binding:host_id", "binding:profile", "binding:vif_type", "binding:vif_details")
_KINDS = ("normal", "direct", "macvtap", "baremetal", "direct-physical", "virtio-forwarder", "smart-nic", "vdpa",
          "accelerator-direct", "accelerator-direct-physical", "remote-managed")  # fmt: skip
ATTRIBUTES = {
    "binding:vnic_type": Attribute("normal", checks.one_of(_KINDS)),
    "binding:host_id": Attribute(OPEN, checks.text_or_none(), operators=True),
    "binding:profile": Attribute(OPEN, checks.a_dict, operators=True),
    "binding:vif_type": READ_ONLY,
    "binding:vif_details": READ_ONLY,
}
#: Of a port that is on no host.
UNBOUND: Json = {"binding:host_id": "", "binding:vif_type": "unbound", "binding:vif_details": {}, "binding:profile": {}}


def bound(backend: str, host: str) -> Json:
    """Of a port on a host."""
    details: Json = {"connectivity": "l2", "port_filter": True, "bound_drivers": {"0": "linuxbridge"}}
    if backend == "ovn":
        details = {
            "port_filter": True,
            "connectivity": "l2",
            "ovs_create_tap": False,
            "bridge_name": "br-int",
            "datapath_type": "netdev",
            "bound_drivers": {"0": "ovn"},
        }
    kind = "ovs" if backend == "ovn" else "bridge"
    return {"binding:host_id": host, "binding:vif_type": kind, "binding:vif_details": details}
