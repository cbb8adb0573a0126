"""Placement's settings."""

from __future__ import annotations

from ..layout import Cloud
from .common import Settings, database, token_checks


def placement(cloud: Cloud) -> Settings:
    """placement.conf"""
    return {
        "DEFAULT": {},
        "placement_database": database(cloud, "placement"),
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": token_checks(cloud, "placement"),
    }
