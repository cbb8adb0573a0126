"""Keystone's password hashes: which release makes and verifies which kind (keystone/common/password_hashing.py).

The Identity API does not tell its release (it has been v3.14 for years), its database does: the tables show the
era, and from Yoga on ``alembic_version`` holds the last migrations that were applied.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Identifiers at the beginning of a hash.
SHA512_CRYPT = "$6$"
BCRYPT_SHA256 = "$bcrypt-sha256$"
SCRYPT = "$scrypt$"
PBKDF2 = "$pbkdf2-sha512$"
BCRYPT = frozenset({"$2$", "$2a$", "$2b$", "$2x$", "$2y$"})

OLD = frozenset({SHA512_CRYPT})
MODERN = BCRYPT | {SCRYPT, PBKDF2}

#: Releases from the first that has alembic, in order, with what each verifies. sha512_crypt went with passlib in
#: 2025.1 (keystone 27.0.0, commit 4a4137d5f); bcrypt_sha256 came in 2024.1 (25.0.0, commit 9b0b414e3).
VERIFIED: dict[str, frozenset[str]] = {
    "Yoga": MODERN | OLD,
    "Zed": MODERN | OLD,
    "2023.1": MODERN | OLD,
    "2023.2": MODERN | OLD,
    "2024.1": MODERN | OLD | {BCRYPT_SHA256},
    "2024.2": MODERN | OLD | {BCRYPT_SHA256},
    "2025.1": MODERN | {BCRYPT_SHA256},
    "2025.2": MODERN | {BCRYPT_SHA256},
    "2026.1": MODERN | {BCRYPT_SHA256},
}
RELEASES = tuple(VERIFIED)

#: Alembic revisions (keystone/common/sql/migrations/versions), each with the release that brought it (by the
#: heads in the tags 21.0.0 to 29.0.0, not by the folder they lie in). A revision stays in ``alembic_version`` until
#: the next of its branch: 2024.2, 2025.1 and 2025.2 brought none, so that 2024.1 cannot be told from 2025.2.
EXPAND = {
    "27e647c0fad4": "Yoga",
    "29e87d24a316": "Yoga",
    "b4f8b3f584e0": "2023.2",
    "11c3b243b4cb": "2023.2",
    "47147121": "2024.1",
    "e8725d6fa226": "2026.1",
    "742c857f1dfb": "2026.1",
}
CONTRACT = {
    "e25ffa003242": "Yoga",
    "99de3849d860": "2023.2",
    "c88cdce8f248": "2023.2",
}


@dataclass(frozen=True)
class Rules:
    """What a Keystone is, as far as its database shows, and what it verifies for certain."""

    #: In words: "Zed", "2024.1 to 2025.2", "newer than 2026.1", "Pike to Rocky".
    release: str
    idents: frozenset[str]
    #: The widest hash that fits, characters.
    width: int = 255

    def why_not(self, ident: str, length: int) -> str | None:
        """Why a hash of this kind would not be verified here; None when it would."""
        if ident not in self.idents:
            name = f"a {kind(ident)} hash" if ident else "a hash of an unknown kind"
            return f"{name}, which Keystone {self.release} is not known to verify"
        if length > self.width:
            return f"a hash of {length} characters, and Keystone {self.release} has room for {self.width}"
        return None


def ident(hash_: str) -> str:
    """The identifier of a hash, "$2b$"; "" for what is no hash of a known form."""
    if not hash_.startswith("$") or (end := hash_.find("$", 1)) < 0:
        return ""
    return hash_[: end + 1]


def kind(ident_: str) -> str:
    """The name of the algorithm behind an identifier."""
    if ident_ in BCRYPT:
        return "bcrypt"
    names = {SHA512_CRYPT: "sha512_crypt", BCRYPT_SHA256: "bcrypt_sha256", SCRYPT: "scrypt", PBKDF2: "pbkdf2_sha512"}
    return names.get(ident_, f"{ident_} (unknown)" if ident_ else "unknown")


def rules_for_revisions(revisions: set[str]) -> Rules:
    """The rules for what ``alembic_version`` holds: what every release verifies that it may belong to.

    A revision that is not known is of a release newer than this table, and gets the newest rules.
    """
    if not revisions or any(revision not in EXPAND and revision not in CONTRACT for revision in revisions):
        newest = RELEASES[-1]
        return Rules(f"newer than {newest}", VERIFIED[newest])
    spans = [_span(branch, revision) for branch in (EXPAND, CONTRACT) for revision in revisions if revision in branch]
    first, last = max(span[0] for span in spans), min(span[1] for span in spans)
    if first > last:
        # In the middle of a rolling upgrade: tables are newer than what runs, or may be.
        first, last = last, first
    releases = RELEASES[first : last + 1]
    names = releases[0] if len(releases) == 1 else f"{releases[0]} to {releases[-1]}"
    return Rules(names, frozenset.intersection(*(VERIFIED[release] for release in releases)))


def _span(branch: dict[str, str], revision: str) -> tuple[int, int]:
    """First and last release (positions in RELEASES) at which a revision is the last of its branch."""
    first = RELEASES.index(branch[revision])
    later = [RELEASES.index(release) for release in branch.values() if RELEASES.index(release) > first]
    return first, min(later) - 1 if later else len(RELEASES) - 1
