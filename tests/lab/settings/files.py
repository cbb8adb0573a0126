"""All settings files of a cloud, as text."""

from __future__ import annotations

from ..layout import REGION, Cloud
from .cinder import cinder, shares
from .common import render
from .glance import glance_api, image_import
from .keystone import keystone
from .neutron import agents, neutron
from .nova import compute, nova
from .placement import placement


def settings_files(cloud: Cloud) -> dict[str, str]:
    """{path below the cloud's `etc`: contents}, complete but for what is copied from the packages."""
    files = {
        "keystone/keystone.conf": render(keystone(cloud)),
        "glance/glance-api.conf": render(glance_api(cloud)),
        "glance/glance-image-import.conf": render(image_import(cloud)),
        "placement/placement.conf": render(placement(cloud)),
        "nova/nova.conf": render(nova(cloud)),
        "cinder/cinder.conf": render(cinder(cloud)),
        "cinder/shares": shares(cloud),
        "neutron/neutron.conf": render(neutron(cloud)),
        "openrc": openrc(cloud),
    }
    for host in cloud.computes:
        files[f"nova/{host}.conf"] = render(compute(cloud, host))
        if cloud.mechanism == "linuxbridge":
            files[f"neutron/{host}.conf"] = render(agents(cloud, host))
    return files


def openrc(cloud: Cloud) -> str:
    """What a shell sources to be this cloud's admin."""
    variables = {
        "AUTH_URL": cloud.auth_url,
        "USERNAME": "admin",
        "PASSWORD": cloud.admin_password,
        "PROJECT_NAME": "admin",
        "USER_DOMAIN_NAME": "Default",
        "PROJECT_DOMAIN_NAME": "Default",
        "IDENTITY_API_VERSION": "3",
        "REGION_NAME": REGION,
    }
    return "".join(f"export OS_{name}={value}\n" for name, value in variables.items())
