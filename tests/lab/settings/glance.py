"""Glance's settings."""

from __future__ import annotations

from ..layout import Cloud
from .common import Settings, broker, database, locks, token_checks


def glance_api(cloud: Cloud) -> Settings:
    """glance-api.conf: images are files in one directory."""
    state = cloud.state
    return {
        "DEFAULT": {
            **broker(cloud),
            "bind_host": "127.0.0.1",
            "bind_port": cloud.port("glance"),
            "workers": 1,
            "enabled_backends": "file1:file",
            "node_staging_uri": f"file://{state}/staging",
            # in brackets: without them the line is ignored
            "enabled_import_methods": "[glance-direct,web-download,glance-download,copy-image]",
            "worker_self_reference_url": cloud.url("glance"),
        },
        "database": database(cloud, "glance"),
        "glance_store": {"default_backend": "file1"},
        "file1": {"filesystem_store_datadir": f"{state}/images"},
        "os_glance_staging_store": {"filesystem_store_datadir": f"{state}/staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": f"{state}/tasks"},
        "keystone_authtoken": token_checks(cloud, "glance"),
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": f"{cloud.samples}/glance/glance-api-paste.ini",
        },
        "oslo_concurrency": locks(cloud),
    }


def image_import(_cloud: Cloud) -> Settings:
    """glance-image-import.conf: web-download from this machine, which Glance refuses unless named."""
    return {
        "import_filtering_opts": {
            "allowed_schemes": "[http,https]",
            "allowed_hosts": "[127.0.0.1,localhost]",
            "disallowed_hosts": "[]",
            "allowed_ports": "[]",
            "disallowed_ports": "[]",
        }
    }
