"""Keystone's databases: reachable, of this cloud, writable where they must be; and whose passwords can move."""

from __future__ import annotations

from collections.abc import Iterator

from pumphouse.clouds import hashes
from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.passwords import Status
from pumphouse.clouds.probes.finding import FAILED, OK, WARNING, Finding

SUBJECT = "identity database"


def identity_database(cloud: Cloud) -> Iterator[Finding]:
    """The database of one cloud."""
    passwords = cloud.passwords
    if passwords is None:
        yield Finding(
            cloud.role,
            SUBJECT,
            WARNING,
            "not configured: passwords cannot move, and users will need new ones",
            f"set clouds.{cloud.role}.identity_database (docs/passwords.md)",
        )
        return
    state = passwords.status()
    total = sum(state.counts.values())
    detail = f"Keystone {state.release}; passwords: {total}{f' ({counted(state.counts)})' if total else ''}"
    if cloud.role == "destination" and not state.writable:
        yield Finding(
            cloud.role,
            SUBJECT,
            FAILED,
            f"{detail}; they may not be changed",
            "GRANT SELECT, UPDATE on the table password (docs/configuration.md)",
        )
    else:
        yield Finding(cloud.role, SUBJECT, OK, detail)
    yield from _of_this_cloud(cloud)


def _of_this_cloud(cloud: Cloud) -> Iterator[Finding]:
    """Whether users that the API shows are in the database: two URLs are easily swapped."""
    try:
        users = [cloud.user_id, *(user.id for user in cloud.identity.users.list(domain=cloud.domain_id))]
    except Exception:
        return  # said already, where the Identity service is
    if cloud.passwords is None or cloud.passwords.hashes(users[:500]):
        return
    yield Finding(
        cloud.role,
        SUBJECT,
        WARNING,
        "it knows none of the users that the Identity API shows in our account's domain",
        f"check that clouds.{cloud.role}.identity_database is of this cloud (users from LDAP are in none)",
    )


def verifiable(source: Status, destination: Status) -> Iterator[Finding]:
    """Which of the source's passwords will work in the destination; hashes are counted by kind, never shown."""
    lost = {ident: number for ident, number in source.counts.items() if ident not in destination.idents}
    total = sum(source.counts.values())
    if not lost:
        yield Finding("", "passwords", OK, f"all {total} of the source can be verified by the destination")
        return
    yield Finding(
        "",
        "passwords",
        WARNING,
        f"{sum(lost.values())} of {total} cannot be verified by Keystone {destination.release}: {counted(lost)}",
        "let these users change their passwords in the source first, or give them new ones after the move",
    )


def counted(counts: dict[str, int]) -> str:
    """Hashes by kind: "12 bcrypt, 1 sha512_crypt"."""
    kinds: dict[str, int] = {}
    for ident, number in counts.items():
        kinds[hashes.kind(ident)] = kinds.get(hashes.kind(ident), 0) + number
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
