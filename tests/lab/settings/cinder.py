"""Cinder's settings."""

from __future__ import annotations

from ..layout import VOLUME_TYPE, Cloud
from .common import Settings, broker, credentials, database, locks, service_user, token_checks


def cinder(cloud: Cloud) -> Settings:
    """cinder.conf: the NFS driver over a bind mount (shims/mount), volumes are sparse files."""
    state, samples = cloud.state, cloud.samples / "cinder"
    return {
        "DEFAULT": {
            **broker(cloud),
            "enabled_backends": "nfs1",
            "default_volume_type": VOLUME_TYPE,
            "state_path": f"{state}/cinder",
            "my_ip": "127.0.0.1",
            "host": f"{cloud.name}-volumes",
            "glance_api_servers": cloud.url("glance"),
            "osapi_volume_workers": 1,
            "osapi_volume_listen": "127.0.0.1",
            "osapi_volume_listen_port": cloud.port("cinder"),
            "api_paste_config": f"{samples}/api-paste.ini",
            "resource_query_filters_file": f"{samples}/resource_filters.json",
            "rootwrap_config": f"{samples}/rootwrap.conf",
            "enable_force_upload": True,
            "image_conversion_dir": f"{state}/cinder/conversion",
        },
        "nfs1": {
            "volume_driver": "cinder.volume.drivers.nfs.NfsDriver",
            "volume_backend_name": "nfs1",
            "nfs_shares_config": f"{cloud.etc}/cinder/shares",
            "nfs_mount_point_base": f"{state}/cinder-volumes",
            "nfs_sparsed_volumes": True,
            "nfs_snapshot_support": True,
            "nas_secure_file_operations": False,
            "nas_secure_file_permissions": False,
        },
        "database": database(cloud, "cinder"),
        "keystone_authtoken": token_checks(cloud, "cinder"),
        "service_user": service_user(cloud),
        "nova": {**credentials(cloud, "svc"), "interface": "public"},
        "oslo_concurrency": locks(cloud),
        "coordination": {"backend_url": f"file://{state}/cinder/coordination"},
    }


def shares(cloud: Cloud) -> str:
    """The NFS driver's list of shares."""
    return f"127.0.0.1:{cloud.shared}/volumes\n"
