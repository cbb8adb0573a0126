"""One RabbitMQ for both clouds, with a virtual host for each."""

from __future__ import annotations

import json

from .layout import DATABASE_USER, Lab, write_private
from .services import Services

SETTINGS = """\
listeners.tcp.1 = 127.0.0.1:{port}
load_definitions = {place}/definitions.json
loopback_users.guest = true
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 100MB
collect_statistics_interval = 60000
"""


def broker_services(lab: Lab) -> Services:
    """The broker's two processes: Erlang's port mapper and the broker itself."""
    place = lab.broker
    one_thread = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(place),
        "RABBITMQ_NODENAME": "lab@localhost",
        "RABBITMQ_MNESIA_BASE": f"{place}/data",
        "RABBITMQ_LOG_BASE": f"{place}/log",
        "RABBITMQ_CONFIG_FILE": f"{place}/rabbitmq.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{place}/enabled_plugins",
        "RABBITMQ_DIST_PORT": str(lab.port("erlang")),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            f"{one_thread} -start_epmd false -kernel inet_dist_use_interface {{127,0,0,1}}"
        ),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(lab.port("epmd")),
    }
    return Services("broker", place / "run", place / "log", environment)


def start_broker(lab: Lab, services: Services) -> None:
    """Write the broker's settings, start it, and wait for its port.

    Users and virtual hosts come from a definitions file, which saves the slow rabbitmqctl.
    """
    place = lab.broker
    for directory in (place, place / "run", place / "log"):
        directory.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    (place / "rabbitmq.conf").write_text(SETTINGS.format(port=lab.port("amqp"), place=place))
    everything = {"user": DATABASE_USER, "configure": ".*", "write": ".*", "read": ".*"}
    user = {"name": DATABASE_USER, "password": lab.passwords["database"], "tags": "administrator"}
    definitions = {
        "vhosts": [{"name": cloud.name} for cloud in lab.clouds],
        "users": [user],
        "permissions": [{**everything, "vhost": cloud.name} for cloud in lab.clouds],
    }
    write_private(place / "definitions.json", json.dumps(definitions))
    # in the foreground; the broker would start one of its own that outlives it
    services.start("epmd", ["epmd"])
    services.wait_for_port("epmd", lab.port("epmd"), seconds=20)
    services.start("rabbitmq", ["/usr/lib/rabbitmq/bin/rabbitmq-server"])
    services.wait_for_port("rabbitmq", lab.port("amqp"))
    services.say("RabbitMQ listens")
