"""Which users keep their passwords: found out, and said, before anything moves."""

from __future__ import annotations

from collections.abc import Callable

from pumphouse.clouds.cloud import Cloud
from pumphouse.planning.plan import Item, Loss

NEW_PASSWORD = "gets a random password: set a new one"  # noqa: S105 (a sentence)


def check_passwords(users: list[Item], source: Cloud, destination: Cloud, note: Callable[[str], None]) -> None:
    """Add a loss to each user (those that will be made) whose password cannot move, and say why."""
    if not users:
        return
    for cloud in (source, destination):
        if cloud.passwords is None:
            note(
                f"Passwords cannot move: the configuration has no identity_database for the {cloud.role}. "
                f"{len(users)} user(s) will need a new password."
            )
            for user in users:
                user.losses.append(Loss("password", "(hidden)", f"no identity_database; {NEW_PASSWORD}"))
            return
    assert source.passwords is not None and destination.passwords is not None  # noqa: S101 (for mypy)
    hashes = source.passwords.hashes([user.id for user in users])
    refused = []
    for user in users:
        row = hashes.get(user.id)
        if row is None or not row.hash:
            reason: str | None = "has no password in the source's own database (LDAP or federated, or never set)"
        else:
            reason = destination.passwords.why_not(row.hash)
            if reason:
                refused.append(user.name)
                reason = f"{reason}; {NEW_PASSWORD}"
        if reason:
            user.losses.append(Loss("password", "(hidden)", reason))
    if refused:
        note(
            f"{len(refused)} user(s) get a random password, which expires at once, as the destination cannot verify "
            f"theirs: {', '.join(sorted(refused))}. Give each a new one (openstack user set --password-prompt); they "
            "have to change it at first use if the destination has [security_compliance] "
            "change_password_upon_first_use, which no API can set."
        )
