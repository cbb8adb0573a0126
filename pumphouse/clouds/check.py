"""Everything ``pumphouse check`` looks at: it tries what a migration will need, and changes nothing.

Services are asked at the same time, and each probe for itself: one that hangs or fails hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain

from pumphouse.clouds.cloud import TYPES, Cloud, Service
from pumphouse.clouds.probes import account, capacity, identity_database, services
from pumphouse.clouds.probes.finding import FAILED, OK, WARNING, Finding, run
from pumphouse.errors import CloudError

__all__ = ["FAILED", "OK", "WARNING", "Finding", "check_all", "check_cloud", "check_pair"]


def check_all(source: Cloud, destination: Cloud) -> list[Finding]:
    """Both clouds at the same time, then what concerns the two together."""
    with ThreadPoolExecutor(2, "check") as threads:
        found = list(chain.from_iterable(threads.map(check_cloud, (source, destination))))
    return found + check_pair(source, destination)


def check_cloud(cloud: Cloud) -> list[Finding]:
    """One cloud. Where authentication fails, only the database can be looked at besides."""
    found = run(account.authentication, cloud, "authentication")
    database = partial(run, identity_database.identity_database, cloud, identity_database.SUBJECT)
    if any(finding.result == FAILED for finding in found):
        return found + database()
    jobs = [
        partial(run, account.clock, cloud, "clock"),
        *(partial(_check_service, cloud, service) for service in TYPES),
        database,
    ]
    with ThreadPoolExecutor(len(jobs), f"check-{cloud.role}") as threads:
        for future in [threads.submit(job) for job in jobs]:
            found += future.result()
    return found


def _check_service(cloud: Cloud, service: Service) -> list[Finding]:
    """Its versions; if it answers, its rights and its capacity too."""
    found = run(partial(services.versions, service=service), cloud, service)
    if any(finding.result == FAILED for finding in found):
        return found
    found += run(partial(services.rights, service=service), cloud, f"{service} rights")
    if any(finding.result == FAILED for finding in found):
        return found
    if probe := capacity.CAPACITY.get(service):
        found += run(probe, cloud, f"{service} capacity")
    return found


def check_pair(source: Cloud, destination: Cloud) -> list[Finding]:
    """What concerns both clouds."""
    return list(chain(_two_clouds(source, destination), _passwords(source, destination)))


def _two_clouds(source: Cloud, destination: Cloud) -> Iterator[Finding]:
    if source.key == destination.key:
        yield Finding(
            "",
            "clouds",
            FAILED,
            f"source and destination are the same cloud: {source.key}",
            "name two entries of clouds.yaml with different auth_url or region_name",
        )
        return
    try:
        old, new = source.microversion("compute"), destination.microversion("compute")
    except Exception:
        return  # said already, where the services are
    if old > new:
        yield Finding(
            "",
            "clouds",
            WARNING,
            "the destination's Nova is older than the source's ({}.{} < {}.{})".format(*new, *old),
            "check that source and destination are not swapped; fields that the older one lacks will not be carried",
        )


def _passwords(source: Cloud, destination: Cloud) -> Iterator[Finding]:
    if source.passwords is None or destination.passwords is None:
        return
    try:
        states = source.passwords.status(), destination.passwords.status()
    except CloudError:
        return  # said already, where the databases are
    yield from identity_database.verifiable(*states)
