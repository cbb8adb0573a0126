"""What a driver lets the inventory say about it: each driver declares its options, the inventory reads them by that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

#: text: not empty. secret: a text, {env: NAME} or {file: PATH}, arrives as a Secret. number: whole, within limits.
#: flag: true or false. texts: a list of texts. mapping: whatever JSON can hold, by names. text or flag: either.
OptionKind = Literal["text", "secret", "number", "flag", "texts", "mapping", "text or flag"]


@dataclass(frozen=True)
class Option:
    """One key below ``bmc`` or ``provisioner``."""

    kind: OptionKind
    required: bool = False
    #: What the driver gets when the inventory does not say.
    default: Any = None
    #: The only values of a text that there are; empty: any.
    choices: tuple[str, ...] = ()
    #: Limits of a number, both allowed.
    least: int = 0
    most: int = 2**31
    #: Most bytes of a text or a secret.
    longest: int = 1000


class Secret:
    """A password or token. It is not shown, not stored, not sent anywhere by accident: ask for it with ``reveal``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep it."""
        self._value = value

    def reveal(self) -> str:
        """The secret, for the request that needs it."""
        return self._value

    def __repr__(self) -> str:
        """Three stars, also in f-strings."""
        return "***"

    def __bool__(self) -> bool:
        """Whether there is one at all."""
        return bool(self._value)

    def __copy__(self) -> Secret:
        """Itself: it cannot be changed."""
        return self

    def __deepcopy__(self, memo: Any) -> Secret:
        """Itself, so that dataclasses.asdict works and shows nothing."""
        return self

    def __reduce__(self) -> Any:
        """Refuse to be pickled."""
        raise TypeError("a secret is not stored")
