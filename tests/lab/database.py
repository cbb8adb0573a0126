"""A cloud's MariaDB: its own server with one database for each service."""

from __future__ import annotations

import concurrent.futures
import shutil
import time
from collections.abc import Callable

from .layout import DATABASE_USER, Cloud
from .services import Services

DATABASES = ("keystone", "glance", "placement", "nova_api", "nova_cell0", "nova", "cinder", "neutron")


def start(cloud: Cloud, services: Services) -> None:
    """Start the server on the data directory there is."""
    data = cloud.state / "mysql"
    options = [
        *("--no-defaults", "--user=root", f"--datadir={data}", f"--aria-log-dir-path={data}", _own_tmp(cloud)),
        *("--bind-address=127.0.0.1", f"--port={cloud.port('mariadb')}", f"--socket={cloud.run}/mysql.sock"),
        # what the lab holds is not worth a wait for the disk
        *("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-flush-method=nosync"),
        *("--innodb-log-file-size=32M", "--innodb-buffer-pool-size=128M", "--performance-schema=0"),
        *("--innodb-buffer-pool-dump-at-shutdown=0", "--skip-log-bin", "--skip-name-resolve"),
        *("--max-connections=400", "--sql-mode=TRADITIONAL"),
        *("--character-set-server=utf8mb3", "--collation-server=utf8mb3_general_ci"),
    ]
    services.start("mariadb", ["/usr/sbin/mariadbd", *options])
    services.wait_for_port("mariadb", cloud.port("mariadb"))


def _own_tmp(cloud: Cloud) -> str:
    """The option for a place of its own: each server that starts removes the temporary tables that it finds there."""
    place = cloud.run / "mysql-tmp"
    place.mkdir(parents=True, exist_ok=True)
    return f"--tmpdir={place}"


def initialise(cloud: Cloud, services: Services) -> None:
    """Make the data directory, the databases and their user; the server runs afterwards."""
    services.call(
        [
            *("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={cloud.state}/mysql", _own_tmp(cloud)),
            *("--skip-test-db", "--innodb-log-file-size=32M", "--auth-root-authentication-method=socket"),
        ]
    )
    start(cloud, services)
    password = cloud.lab.passwords["database"]
    statements = [f"CREATE USER {DATABASE_USER}@'%' IDENTIFIED BY '{password}'"]
    for name in DATABASES:
        statements += [f"CREATE DATABASE {name}", f"GRANT ALL ON {name}.* TO {DATABASE_USER}@'%'"]
    script = cloud.run / "users.sql"
    script.write_text(";\n".join(statements))
    sql(cloud, services, f"source {script}")
    script.unlink()


def sql(cloud: Cloud, services: Services, statement: str) -> str:
    """Run a statement as the server's root, through its socket; the rows, tab-separated."""
    client = ["mariadb", "--no-defaults", "-uroot", f"--socket={cloud.run}/mysql.sock", "-N"]
    return services.call([*client, "-e", statement])


def migrate(cloud: Cloud, services: Services) -> None:
    """Make all services' tables.

    The services are independent of each other and run side by side.
    """

    def manage(service: str, *arguments: str, program: str | None = None, file: str | None = None) -> None:
        began = time.monotonic()
        settings = cloud.etc / service / f"{file or service}.conf"
        services.call([cloud.programs / (program or f"{service}-manage"), "--config-file", settings, *arguments])
        services.say(f"{service} {' '.join(arguments[:2])}: {time.monotonic() - began:.1f} s")

    def nova() -> None:
        manage("nova", "api_db", "sync")
        manage("nova", "cell_v2", "map_cell0")
        manage("nova", "cell_v2", "create_cell", "--name", "cell1")
        manage("nova", "db", "sync")

    jobs: list[Callable[[], None]] = [
        lambda: manage("keystone", "db_sync"),
        nova,
        lambda: manage("glance", "db_sync", file="glance-api"),
        lambda: manage("placement", "db", "sync"),
        lambda: manage("cinder", "db", "sync"),
        lambda: manage("neutron", "upgrade", "heads", program="neutron-db-manage"),
    ]
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        for future in [pool.submit(job) for job in jobs]:
            future.result()


def stop(services: Services) -> None:
    """Stop the server, giving it time to write what it holds."""
    services.processes.stop(["mariadb"], grace=30)


def forget(cloud: Cloud) -> None:
    """Remove the data."""
    shutil.rmtree(cloud.state / "mysql", ignore_errors=True)
