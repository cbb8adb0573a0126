"""Nova's settings: one file for the control services, one for each compute host."""

from __future__ import annotations

from ..layout import REGION, Cloud
from .common import Settings, broker, credentials, database, locks, service_user, token_checks


def nova(cloud: Cloud) -> Settings:
    """nova.conf of the API, the conductor and the scheduler."""
    return {
        "DEFAULT": {
            **_default(cloud),
            "state_path": f"{cloud.state}/nova",
            # the scheduler itself maps new compute hosts into the cell, without a random delay first
            "periodic_fuzzy_delay": 0,
        },
        "api_database": database(cloud, "nova_api"),
        "database": database(cloud, "nova"),
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 3},
        **_common(cloud),
    }


def compute(cloud: Cloud, host: str) -> Settings:
    """nova.conf of one compute host.  It names no database: a nova-compute that is told of one tries it."""
    return {
        "DEFAULT": {**_default(cloud), "state_path": f"{cloud.state}/nova/{host}", "host": host},
        **_common(cloud),
    }


def _default(cloud: Cloud) -> dict[str, object]:
    return {
        **broker(cloud),
        # the same on all hosts: a cold migration then takes the instances' directory for shared, as it is
        "my_ip": "127.0.0.1",
        "instances_path": f"{cloud.shared}/instances",
        "instance_name_template": f"{cloud.name}-%08x",
        "enabled_apis": "osapi_compute",
        "osapi_compute_listen": "127.0.0.1",
        "osapi_compute_listen_port": cloud.port("nova"),
        "osapi_compute_workers": 1,
        "compute_driver": "libvirt.LibvirtDriver",
        "vif_plugging_is_fatal": False,
        "vif_plugging_timeout": 0,
        "reserved_host_memory_mb": 0,
        "initial_ram_allocation_ratio": 8,
        "initial_cpu_allocation_ratio": 32,
        "initial_disk_allocation_ratio": 8,
        "force_raw_images": False,
        "heal_instance_info_cache_interval": -1,
        "resize_confirm_window": 0,
        "shutdown_timeout": 5,
        "allow_resize_to_same_host": False,
    }


def _common(cloud: Cloud) -> Settings:
    return {
        "keystone_authtoken": token_checks(cloud, "nova"),
        "service_user": service_user(cloud),
        "placement": credentials(cloud, "svc"),
        "neutron": credentials(cloud, "svc"),
        "cinder": {
            **credentials(cloud, "svc"),
            "catalog_info": "volumev3::publicURL",
            "os_region_name": REGION,
        },
        "glance": {"api_servers": cloud.url("glance")},
        "wsgi": {"api_paste_config": f"{cloud.samples}/nova/api-paste.ini"},
        "conductor": {"workers": 1},
        "vnc": {"enabled": False},
        "spice": {"enabled": False},
        "libvirt": _libvirt(cloud),
        "oslo_concurrency": locks(cloud),
        "os_vif_linux_bridge": {"use_ipv6": False},
        "os_vif_ovs": {"ovsdb_connection": "unix:/run/openvswitch/db.sock"},
    }


def _libvirt(cloud: Cloud) -> dict[str, object]:
    return {
        # emulation only; the guest's program expects the older machine type
        "virt_type": "qemu",
        "cpu_mode": "none",
        "images_type": "qcow2",
        "hw_machine_type": "x86_64=pc",
        "tb_cache_size": 32,
        "nfs_mount_point_base": f"{cloud.state}/nova-volumes",
        # between two hosts nothing but their libvirt sockets: the memory travels there too.  There must be
        # no live_migration_inbound_addr, which would take the place of the host's name in the URI.
        "live_migration_uri": f"qemu+unix:///system?socket={cloud.root}/hosts/%s/run/libvirt-sock",
        "live_migration_tunnelled": True,
    }
