"""What is looked at before anything moves: one module per subject. Only reads; what cannot be read is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pumphouse.clouds.errors import explain
from pumphouse.planning.checks import addresses, disks, features, quotas, room, services
from pumphouse.planning.checks.subject import Subject
from pumphouse.planning.plan import Finding

Check = Callable[[Subject], Iterable[Finding]]

#: What is checked, in words, and how.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("the destination's quotas of compute", quotas.compute),
    ("the destination's quotas of volumes", quotas.volume),
    ("the destination's quotas of networks", quotas.network),
    ("whether the destination has hosts for the servers", room.servers),
    ("whether the destination has room for the volumes", room.volumes),
    ("the destination's compute services", services.compute),
    ("the destination's volume services", services.volume),
    ("the destination's network agents", services.network),
    ("the source's compute services", services.source_compute),
    ("the source's volume services", services.source_volume),
    ("overlaps with the destination's shared networks", addresses.overlaps),
    ("which of the networks' fields the destination knows", features.extensions),
    ("which of the servers' fields the destination knows", features.microversions),
    ("images without bytes", disks.empty_images),
    ("how attached volumes are read", disks.attached_volumes),
    ("whether volumes have snapshots", disks.volumes_with_snapshots),
)

#: The gravest first.
LEVELS = ("blocks", "loses", "note")


def run_checks(subject: Subject) -> list[Finding]:
    """All that the checks found, the gravest first. A check that fails is one more note."""
    found: list[Finding] = []
    for what, check in CHECKS:
        try:
            # One by one: what came before an exception counts.
            for finding in check(subject):
                found.append(finding)
        except Exception as error:
            found.append(
                Finding("note", "", "", "", f"could not check {what}: {explain(error)}", "see that its service works")
            )
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))
