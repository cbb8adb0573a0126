"""What the services' settings have in common."""

from __future__ import annotations

from ..layout import DATABASE_USER, REGION, Cloud

#: {section: {option: value}}
Settings = dict[str, dict[str, object]]


def render(settings: Settings) -> str:
    """As an oslo.config file."""
    lines: list[str] = []
    for section, options in settings.items():
        lines.append(f"[{section}]")
        lines += [f"{option} = {value}" for option, value in options.items()]
        lines.append("")
    return "\n".join(lines)


def broker(cloud: Cloud) -> dict[str, object]:
    """[DEFAULT] of every service that talks to the others over RabbitMQ."""
    password, port = cloud.lab.passwords["database"], cloud.lab.port("amqp")
    return {"transport_url": f"rabbit://{DATABASE_USER}:{password}@127.0.0.1:{port}/{cloud.name}"}


def database(cloud: Cloud, name: str) -> dict[str, object]:
    """[database]"""
    return {"connection": cloud.database(name) + "?charset=utf8", "max_pool_size": 5}


def credentials(cloud: Cloud, user: str) -> dict[str, object]:
    """A keystoneauth section: this service user on the project `service`."""
    return {
        "auth_type": "password",
        "auth_url": cloud.auth_url,
        "username": user,
        "password": cloud.lab.passwords["service"],
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": REGION,
    }


def token_checks(cloud: Cloud, user: str) -> dict[str, object]:
    """[keystone_authtoken]"""
    return {
        **credentials(cloud, user),
        "www_authenticate_uri": cloud.auth_url,
        "service_token_roles_required": True,
        "service_token_roles": "service",
    }


def service_user(cloud: Cloud) -> dict[str, object]:
    """[service_user]: a service token goes along, so that a long action outlives the user's token."""
    return {**credentials(cloud, "svc"), "send_service_user_token": True}


def locks(cloud: Cloud) -> dict[str, object]:
    """[oslo_concurrency]"""
    return {"lock_path": f"{cloud.state}/lock"}
