"""Keystone's settings."""

from __future__ import annotations

from ..layout import Cloud
from .common import Settings, database


def keystone(cloud: Cloud) -> Settings:
    """keystone.conf: SQL identities, Fernet tokens, cheap password hashes."""
    return {
        "DEFAULT": {"public_endpoint": cloud.url("keystone")},
        "database": database(cloud, "keystone"),
        "token": {"provider": "fernet", "expiration": 14400},
        "fernet_tokens": {"key_repository": f"{cloud.state}/fernet"},
        # Read at every start, too: its default is a directory that a fresh machine does not have.
        "fernet_receipts": {"key_repository": f"{cloud.state}/fernet"},
        # not cached: Keystone decrypts in place what it has cached, which the cache below gives out itself
        "credential": {"key_repository": f"{cloud.state}/credential", "caching": False},
        # bcrypt with its fewest rounds: each request of a service user checks a password
        "identity": {"password_hash_rounds": 4},
        "cache": {"enabled": True, "backend": "oslo_cache.dict"},
    }
