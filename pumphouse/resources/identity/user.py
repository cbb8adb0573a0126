"""Users (Identity API v3, ``/v3/users``). Their passwords travel as hashes over SQL, see ``tasks.passwords``."""

from __future__ import annotations

import secrets

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import Wire
from pumphouse.resources.fields import carry, refer, report, some
from pumphouse.resources.identity.wire import IdentityType


class User(IdentityType):
    """A user; one of the same name in the counterpart of its domain is used as it is and never overwritten."""

    type = "user"
    manager = "users"
    scope = {"domain_id": "domain_id"}
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "unique in its domain", match=True),
        refer("domain_id", "domain", "the domain that owns it", match=True),
        carry("enabled", "a disabled user cannot log in"),
        carry("description", "free text"),
        carry("email", "free text"),
        refer("default_project_id", "project", "where it works if it does not say", loose=True, omit_null=True),
        carry("options", "ignore_password_expiry, lock_password, multi_factor_auth_rules, ..."),
        report("password_expires_at", "the destination's own password policy applies", worth=some),
        report("federated", "identities at other providers, known to the source only", worth=some),
        report("links", "addresses in the source's API"),
    )
    # Keystone keeps whatever else was given to a user.
    others = "carry"

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /v3/users with a random password, which nobody knows and which the hash replaces."""
        body = self.body(wanted)
        body["domain"] = body.pop("domain_id")
        body["default_project"] = body.pop("default_project_id", None)
        # Long enough for any rule; with a character of each class for a configured password regex.
        body["password"] = secrets.token_urlsafe(30) + "aA1!"
        return dict(cloud.identity.users.create(**body).to_dict())
