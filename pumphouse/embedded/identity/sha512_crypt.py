"""SHA-512 crypt (``$6$``), which Keystone made until Ocata and verified until 2024.2.

As Ulrich Drepper specified it (https://www.akkadia.org/drepper/SHA-crypt.txt); Python had it in its module ``crypt``
until 3.12.
"""

from __future__ import annotations

import hashlib

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ROUNDS = 5000


def sha512_crypt(password: bytes, setting: str) -> str:
    """The hash of a password with the rounds and the salt of another hash, or of its beginning."""
    parts = setting.split("$")[2:]
    prefix = "$6$"
    rounds = ROUNDS
    if parts[0].startswith("rounds="):
        given = parts.pop(0)
        rounds = min(max(int(given.removeprefix("rounds=")), 1000), 999_999_999)
        prefix = f"$6${given}$"
    salt = parts[0][:16]
    return f"{prefix}{salt}${_encoded(_digest(password, salt.encode(), rounds))}"


def _digest(password: bytes, salt: bytes, rounds: int) -> bytes:
    digest = _start(password, salt)
    p = _stretched(hashlib.sha512(password * len(password)).digest(), len(password))
    s = _stretched(hashlib.sha512(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(rounds):
        odd = number % 2
        parts = [p if odd else digest]
        parts += [s] if number % 3 else []
        parts += [p] if number % 7 else []
        parts += [digest if odd else p]
        digest = hashlib.sha512(b"".join(parts)).digest()
    return digest


def _start(password: bytes, salt: bytes) -> bytes:
    other = hashlib.sha512(password + salt + password).digest()
    first = hashlib.sha512(password + salt + _stretched(other, len(password)))
    bits = len(password)
    while bits:
        first.update(other if bits & 1 else password)
        bits >>= 1
    return first.digest()


def _stretched(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _encoded(digest: bytes) -> str:
    """Three bytes become four letters, in the order that crypt has."""
    found = ""
    a, b, c = 0, 21, 42
    for _ in range(21):
        found += _letters(digest[a] << 16 | digest[b] << 8 | digest[c], 4)
        a, b, c = b + 1, c + 1, a + 1
    return found + _letters(digest[63], 2)


def _letters(value: int, count: int) -> str:
    return "".join(ALPHABET[value >> 6 * at & 63] for at in range(count))
