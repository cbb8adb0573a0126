"""Our own state: migrations, units, mappings, events, results, in one SQL database."""

from .rows import Event, Mapping, Migration, MigrationSummary, Result, Temporary, UnitRow
from .store import DONE, FAILED, RUNNING, STOPPED, Store

__all__ = [
    "DONE",
    "FAILED",
    "RUNNING",
    "STOPPED",
    "Event",
    "Mapping",
    "Migration",
    "MigrationSummary",
    "Result",
    "Store",
    "Temporary",
    "UnitRow",
]
