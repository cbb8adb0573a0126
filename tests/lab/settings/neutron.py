"""Neutron's settings: ML2 with Linux bridges and agents in the source, with OVN in the destination."""

from __future__ import annotations

from ..layout import Cloud
from .common import Settings, broker, credentials, database, locks, token_checks


def neutron(cloud: Cloud) -> Settings:
    """neutron.conf of the server, with ML2's settings in it."""
    settings: Settings = {
        "DEFAULT": {
            **broker(cloud),
            "core_plugin": "ml2",
            "state_path": f"{cloud.state}/neutron",
            "bind_host": "127.0.0.1",
            "bind_port": cloud.port("neutron"),
            "api_workers": 1,
            "rpc_state_report_workers": 0,
            "api_paste_config": f"{cloud.samples}/neutron/api-paste.ini",
            "notify_nova_on_port_status_changes": True,
            "notify_nova_on_port_data_changes": True,
        },
        "database": database(cloud, "neutron"),
        "keystone_authtoken": token_checks(cloud, "neutron"),
        "nova": credentials(cloud, "svc"),
        "placement": credentials(cloud, "svc"),
        "oslo_concurrency": locks(cloud),
        "ml2": {"extension_drivers": "port_security,qos"},
        "ml2_type_flat": {"flat_networks": "*"},
        "ml2_type_vlan": {"network_vlan_ranges": "physnet1:100:199"},
        "securitygroup": {"enable_security_group": True},
    }
    extra = _ovn(cloud) if cloud.mechanism == "ovn" else _linuxbridge()
    for section, options in extra.items():
        settings.setdefault(section, {}).update(options)
    return settings


def _linuxbridge() -> Settings:
    return {
        "DEFAULT": {
            "service_plugins": "router,qos,trunk",
            "rpc_workers": 1,
            "dhcp_agent_notification": True,
            "agent_down_time": 150,
            "router_distributed": False,
        },
        "ml2": {
            "type_drivers": "local,flat,vlan,vxlan",
            "tenant_network_types": "vxlan",
            "mechanism_drivers": "linuxbridge",
        },
        "ml2_type_vxlan": {"vni_ranges": "1:1000"},
        "experimental": {"linuxbridge": True},
    }


def _ovn(cloud: Cloud) -> Settings:
    return {
        "DEFAULT": {"service_plugins": "ovn-router,qos,trunk", "rpc_workers": 0, "dhcp_agent_notification": False},
        "ml2": {
            "type_drivers": "local,flat,vlan,geneve",
            "tenant_network_types": "geneve",
            "mechanism_drivers": "ovn",
        },
        "ml2_type_geneve": {"vni_ranges": "1:1000", "max_header_size": 38},
        "ovn": {
            "ovn_nb_connection": f"unix:{cloud.run}/ovnnb.sock",
            "ovn_sb_connection": f"unix:{cloud.run}/ovnsb.sock",
            "ovn_metadata_enabled": False,
        },
    }


def agents(cloud: Cloud, host: str) -> Settings:
    """The settings of all network agents of one host with Linux bridges."""
    return {
        "DEFAULT": {
            **broker(cloud),
            "host": host,
            "state_path": f"{cloud.state}/neutron/{host}",
            "interface_driver": "linuxbridge",
            "enable_isolated_metadata": False,
            "enable_metadata_proxy": False,
            "resync_interval": 30,
        },
        "agent": {
            "root_helper": "sudo",
            "report_interval": 30,
            "prevent_arp_spoofing": False,
            "polling_interval": 1,
        },
        "linux_bridge": {"physical_interface_mappings": "public:pub0"},
        "vxlan": {"enable_vxlan": True, "local_ip": "127.0.0.1"},
        "securitygroup": {"firewall_driver": "noop"},
        "experimental": {"linuxbridge": True},
        "oslo_concurrency": locks(cloud),
    }
