"""Key pairs of users, of type ssh or x509, with the fingerprints of their keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ssl
from typing import Any

from flask import request

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.quotas import Quotas
from pumphouse.embedded.compute.schemas import Schema
from pumphouse.embedded.compute.state import Json, long, now
from pumphouse.embedded.service import RefusedError, paged, route

#: (Zed's, of microversion 2.92 and newer) -> what a name may be.
NAMES: dict[tuple[bool, bool], Schema] = {
    (True, False): {"allOf": [schemas.NAME, {"format": "keypair"}]},
    (True, True): {"allOf": [schemas.NAME, {"format": "keypair 2.92"}]},
    (False, False): {**schemas.NAME, "pattern": r"^[_\- a-zA-Z0-9]+$"},
    (False, True): {**schemas.NAME, "pattern": r"^[_\-\@\. a-zA-Z0-9]+$"},
}


class Keypairs(Quotas):
    """``/os-keypairs``."""

    @route("GET", "/v2.1/os-keypairs")
    def list_keypairs(self) -> Json:
        """A user's; of others for administrators, from microversion 2.10 on."""
        owned = self._owned("index")
        limit, marker = self.limits() if self.since(35) else (None, None)
        if marker and marker not in owned:
            raise RefusedError(400, f"Marker {marker} could not be found.")
        page, _ = paged((owned[name] for name in sorted(owned)), limit, marker, "name")
        fields = ("name", "public_key", "fingerprint", *self._type())
        found: Json = {"keypairs": [{"keypair": {field: pair[field] for field in fields}} for pair in page]}
        if limit and (links := self.next_links("os-keypairs", page, limit, "name")):
            found["keypairs_links"] = links
        return found

    @route("GET", "/v2.1/os-keypairs/<path:name>")
    def show_keypair(self, name: str) -> Json:
        """One."""
        pair = self._keypair(self._owned("show"), name)
        fields = ("name", "public_key", "fingerprint", "user_id", "created_at", "deleted", "deleted_at", "id",
                  "updated_at", *self._type())  # fmt: skip
        return {"keypair": {field: pair[field] for field in fields}}

    @route("POST", "/v2.1/os-keypairs")
    def create_keypair(self) -> tuple[Json, int]:
        """Of a key that is given; until microversion 2.91 also one that is made here."""
        given = schemas.checked("keypair", self._schema_of_keypair())
        user = given.get("user_id") or self.token.user_id
        self._demand_user("create", user)
        owned = self.state.keypairs.setdefault(user, {})
        limit = self.quotas_of(self.token.project_id)["key_pairs"]
        if 0 <= limit <= len(owned):
            raise RefusedError(403, "Quota exceeded, too many key pairs.")
        type_, key, secret = given.get("type", "ssh"), given.get("public_key"), {}
        if key is None:
            key, private = make_key()
            secret = {"private_key": private}
        print_ = fingerprint(key, type_)
        if given["name"] in owned:
            raise RefusedError(409, f"Key pair '{given['name']}' already exists.")
        pair = owned[given["name"]] = {
            "name": given["name"], "user_id": user, "type": type_, "public_key": key, "fingerprint": print_,
            "created_at": long(now()), "updated_at": None, "deleted": False, "deleted_at": None,
            "id": self.state.number("key_pairs"),
        }  # fmt: skip
        fields = (*self._type(), "name", "public_key", "fingerprint", "user_id")
        return {"keypair": {**secret, **{field: pair[field] for field in fields}}}, 201 if self.since(2) else 200

    @route("DELETE", "/v2.1/os-keypairs/<path:name>")
    def delete_keypair(self, name: str) -> tuple[None, int]:
        """Servers keep the key."""
        owned = self._owned("delete")
        del owned[self._keypair(owned, name)["name"]]
        return None, 204 if self.since(2) else 202

    def _type(self) -> tuple[str, ...]:
        return ("type",) if self.since(2) else ()

    def _demand_user(self, verb: str, user: str) -> None:
        if user != self.token.user_id and not self.token.admin:
            raise RefusedError(403, f"Policy doesn't allow os_compute_api:os-keypairs:{verb} to be performed.")

    def _owned(self, verb: str) -> dict[str, Json]:
        """The key pairs of whom the request is about, by name."""
        user = (request.args.get("user_id") if self.since(10) else None) or self.token.user_id
        self._demand_user(verb, user)
        return self.state.keypairs.setdefault(user, {})

    def _keypair(self, owned: dict[str, Json], name: str) -> Json:
        if name not in owned:
            user = (request.args.get("user_id") if self.since(10) else None) or self.token.user_id
            raise RefusedError(404, f"Keypair {name} not found for user {user}")
        return owned[name]

    def _schema_of_keypair(self) -> Schema:
        properties: dict[str, Schema] = {
            "name": NAMES[self.cloud.release.name == "zed", self.since(92)],
            "public_key": {"type": "string"},
        }
        if self.since(2):
            properties["type"] = {"type": "string", "enum": ["ssh", "x509"]}
        if self.since(10):
            properties["user_id"] = {"type": "string", "minLength": 1, "maxLength": 255}
        return schemas.thing(("name", "public_key") if self.since(92) else ("name",), **properties)


def fingerprint(key: str, type_: str) -> str:
    """MD5 of an ssh key, SHA-1 of a certificate. Refuses what is neither."""
    if type_ == "x509":
        try:
            return _colons(hashlib.sha1(ssl.PEM_cert_to_DER_cert(key), usedforsecurity=False))
        except (ValueError, binascii.Error) as error:
            raise _invalid(f"failed to generate X509 fingerprint. Error message: {error}") from None
    try:
        kind, text = key.split(" ")[:2]
        blob = base64.b64decode(text, validate=True)
    except ValueError:
        raise _invalid("failed to generate fingerprint") from None
    length = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + length] != kind.encode() or len(blob) <= 4 + length:
        raise _invalid("failed to generate fingerprint")
    return _colons(hashlib.md5(blob, usedforsecurity=False))


def make_key() -> tuple[str, str]:
    """A new RSA key: (public, private)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    form, pem = serialization.PrivateFormat.TraditionalOpenSSL, serialization.Encoding.PEM
    private = key.private_bytes(pem, form, serialization.NoEncryption()).decode()
    ssh = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return f"{key.public_key().public_bytes(*ssh).decode()} Generated-by-Nova", private


def _colons(digest: Any) -> str:
    return str(digest.digest().hex(":"))


def _invalid(reason: str) -> RefusedError:
    return RefusedError(400, f"Keypair data is invalid: {reason}")
