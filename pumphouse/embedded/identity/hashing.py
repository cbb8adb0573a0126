"""Password hashes: making them as Keystone does by default, and verifying each kind that it ever made.

The forms are those of passlib, which Keystone used for years, and has kept since.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

import bcrypt

from pumphouse.embedded.identity.sha512_crypt import sha512_crypt

#: As few as there can be: each login costs one.
ROUNDS = 4
#: Bytes of a password that bcrypt looks at.
LONGEST = 72


class UnknownHashError(ValueError):
    """The hash is of a kind that this release does not verify."""


def make(password: str) -> str:
    """A bcrypt hash."""
    return bcrypt.hashpw(password.encode()[:LONGEST], bcrypt.gensalt(ROUNDS)).decode()


def verify(password: str, hashed: str, kinds: frozenset[str]) -> bool:
    """Whether it is the password's hash. Raises UnknownHashError for a hash of none of these kinds ("$2b$")."""
    found = re.match(r"\$[^$]+\$", hashed)
    if not found or found.group() not in kinds:
        raise UnknownHashError("Unsupported password hashing algorithm ident")
    check = CHECKS.get(found.group(), _bcrypt)
    try:
        return check(password.encode(), hashed)
    except (ValueError, LookupError):  # not well formed
        return False


def _bcrypt(password: bytes, hashed: str) -> bool:
    return bcrypt.checkpw(password[:LONGEST], hashed.encode())


def _bcrypt_sha256(password: bytes, hashed: str) -> bool:
    """$bcrypt-sha256$v=2,t=2b,r=12$SALT$DIGEST: bcrypt of a digest, so that long passwords count in full."""
    _, _, settings, salt, digest = hashed.split("$")
    kind, rounds = settings.split(",")[1:]
    inner = base64.b64encode(hmac.digest(salt.encode(), password, "sha256"))
    return bcrypt.checkpw(inner, f"${kind[2:]}${int(rounds[2:]):02}${salt}{digest}".encode())


def _scrypt(password: bytes, hashed: str) -> bool:
    """$scrypt$ln=16,r=8,p=1$SALT$DIGEST."""
    _, _, settings, salt, digest = hashed.split("$")
    cost, block, parallel = (int(part.partition("=")[2]) for part in settings.split(","))
    wanted = _decoded(digest)
    made = hashlib.scrypt(
        password, salt=_decoded(salt), n=1 << cost, r=block, p=parallel, maxmem=1 << 30, dklen=len(wanted)
    )
    return hmac.compare_digest(made, wanted)


def _pbkdf2(password: bytes, hashed: str) -> bool:
    """$pbkdf2-sha512$25000$SALT$DIGEST, in base64 with "." for "+"."""
    _, _, rounds, salt, digest = hashed.replace(".", "+").split("$")
    wanted = _decoded(digest)
    made = hashlib.pbkdf2_hmac("sha512", password, _decoded(salt), int(rounds), len(wanted))
    return hmac.compare_digest(made, wanted)


def _sha512_crypt(password: bytes, hashed: str) -> bool:
    return hmac.compare_digest(sha512_crypt(password, hashed), hashed)


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


#: The kinds that are not plain bcrypt.
CHECKS: dict[str, Callable[[bytes, str], bool]] = {
    "$bcrypt-sha256$": _bcrypt_sha256,
    "$scrypt$": _scrypt,
    "$pbkdf2-sha512$": _pbkdf2,
    "$6$": _sha512_crypt,
}
