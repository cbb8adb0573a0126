"""Migrations: running a plan, comparing both sides, and the report."""

from pumphouse.migrations.runner import run

__all__ = ["run"]
