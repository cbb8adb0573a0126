"""Releases, as far as the newest microversion of a service tells them.

From the ``rest_api_version_history.rst`` of nova, cinder and placement ("Maximum in ..."). Services whose API has
not changed for years (Keystone, Neutron) do not tell theirs.
"""

from __future__ import annotations

#: Newest microversion of each release of Nova.
COMPUTE = {
    (2, 3): "Kilo",
    (2, 12): "Liberty",
    (2, 25): "Mitaka",
    (2, 38): "Newton",
    (2, 42): "Ocata",
    (2, 53): "Pike",
    (2, 60): "Queens",
    (2, 65): "Rocky",
    (2, 72): "Stein",
    (2, 79): "Train",
    (2, 87): "Ussuri or Victoria",
    (2, 88): "Wallaby",
    (2, 90): "Xena or Yoga",
    (2, 93): "Zed",
    (2, 95): "2023.1 or 2023.2",
    (2, 96): "2024.1 or 2024.2",
    (2, 100): "2025.1 or 2025.2",
    (2, 103): "2026.1",
}

#: Newest microversion of each release of Cinder; 3.71 is that of all since 2024.1.
VOLUME = {
    (3, 0): "Mitaka",
    (3, 15): "Newton",
    (3, 27): "Ocata",
    (3, 43): "Pike",
    (3, 50): "Queens",
    (3, 55): "Rocky",
    (3, 59): "Stein or Train",
    (3, 60): "Ussuri",
    (3, 62): "Victoria",
    (3, 64): "Wallaby",
    (3, 66): "Xena",
    (3, 68): "Yoga",
    (3, 70): "Zed to 2023.2",
    (3, 71): "2024.1 or newer",
}

HISTORY: dict[str, dict[tuple[int, int], str]] = {"compute": COMPUTE, "volume": VOLUME}


def release(service: str, newest: tuple[int, int]) -> str:
    """The release of a service by its newest microversion; "" where that does not tell."""
    history = HISTORY.get(service)
    if not history:
        return ""
    if newest in history:
        return history[newest]
    if newest > max(history):
        return f"newer than {history[max(history)]}"
    older = [version for version in history if version < newest]
    return f"newer than {history[max(older)]}" if older else f"older than {history[min(history)]}"
