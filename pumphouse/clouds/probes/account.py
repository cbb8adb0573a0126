"""Our account: whether it can log in, what it is, and whether our clock agrees with the cloud's."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from pumphouse.clouds.cloud import Cloud, Service
from pumphouse.clouds.probes.finding import FAILED, OK, WARNING, Finding

#: Seconds that clocks may differ: tokens seem to be expired, or of the future, when they differ more.
SKEW = 60


def authentication(cloud: Cloud) -> Iterator[Finding]:
    """Log in; tell who we are and for how long."""
    access = cloud.access
    now = datetime.datetime.now(datetime.UTC)
    expires = access.expires
    minutes = f"; the token lasts {(expires - now).total_seconds() / 60:.0f} min" if expires else ""
    if not access.project_id:
        yield Finding(
            cloud.role,
            "authentication",
            FAILED,
            f"the account {access.username} is scoped to no project",
            f"give a project_name in the entry {cloud.name!r} of clouds.yaml",
        )
        return
    roles = ", ".join(sorted(role["name"] for role in cloud.roles)) or "none"
    who = f"{access.username} in project {access.project_name}, roles: {roles}{minutes}"
    yield Finding(cloud.role, "authentication", OK, who)
    if "applicationcredential" in str(cloud.region.config.get("auth_type") or "").replace("_", ""):
        yield Finding(
            cloud.role,
            "application credential",
            WARNING,
            f"the entry {cloud.name!r} of clouds.yaml is an application credential, which cannot enter the projects "
            "of tenants: servers and volumes cannot be made there",
            "use the password (or another credential) of a user",
        )


def clock(cloud: Cloud) -> Iterator[Finding]:
    """Compare our clock with Keystone's, by the time of a new token, and with that of whoever sends a Date."""
    before = time.time()
    cloud.fresh_token()
    after = time.time()
    offsets = {}
    if issued := cloud.access.issued:
        # It is in whole seconds, as is a Date: half of one is the best guess at the rest.
        offsets["Keystone"] = _offset(issued, before, after)
    answering: tuple[Service, ...] = ("image", "compute")
    for service in answering:
        try:
            url = cloud.url(service)
            before = time.time()
            response = cloud.session.get(url, raise_exc=False, authenticated=False)
        except Exception:  # noqa: S112 (whether the service works is another probe's)
            continue
        if date := response.headers.get("Date"):
            offsets[service] = _offset(parsedate_to_datetime(date), before, time.time())
    if not offsets:
        yield Finding(cloud.role, "clock", OK, "the cloud does not tell its time")
        return
    worst = max(offsets, key=lambda name: abs(offsets[name]))
    seconds = offsets[worst]
    if abs(seconds) <= SKEW:
        yield Finding(cloud.role, "clock", OK, f"differs from ours by {abs(seconds):.0f} s at most")
        return
    direction = "ahead of" if seconds > 0 else "behind"
    yield Finding(
        cloud.role,
        "clock",
        WARNING,
        f"the clock of {worst} is {abs(seconds):.0f} s {direction} ours",
        "let NTP set the clock of this machine and of the cloud's controllers",
    )


def _offset(theirs: datetime.datetime, before: float, after: float) -> float:
    """By how many seconds their clock is ahead of ours; 0 where both may be right."""
    stamp = theirs.timestamp()
    if stamp + 1 < before:
        return stamp + 0.5 - before
    return max(0.0, stamp - after)
