"""Both clouds as the API shows them: their health, and lists that are read in the background and kept for a while."""

from __future__ import annotations

from pumphouse.api.clouds.clouds import ROLES, Clouds

__all__ = ["ROLES", "Clouds"]
