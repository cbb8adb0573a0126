"""What Pumphouse raises: one line for the operator, and the exit code that goes with it."""


class PumphouseError(Exception):
    """Something failed; the message is one line that names the thing and the remedy."""

    exit_code = 1


class UsageError(PumphouseError):
    """Bad input: nothing was done, and the message says what would be accepted."""

    exit_code = 2


class Refusal(UsageError):  # noqa: N818 (a usage error with more to it)
    """What cannot be done as it was asked for, in nobody's words in particular.

    How the choice is called, and how the remedy is done, each surface says in its own words: the commands
    (``cli/remedies.py``) and the API (``engine/wording.py``).
    """

    def __init__(
        self,
        reason: str,
        hint: str = "",
        *,
        choice: str = "",
        value: str | None = None,
        remedy: str = "",
        **about: object,
    ) -> None:
        """``choice``: what was chosen wrongly, as the API's path of it: "selection.servers"; ``value``: as what
        (None: the reason says that; empty: it has none).

        ``hint``: what would be right, in words that fit everywhere; ``remedy``: a key of both tables of remedies,
        filled with ``about``.
        """
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint
        self.choice, self.value = choice, value
        self.remedy, self.about = remedy, about

    def __str__(self) -> str:
        """Without the remedy: that is for those who know to whom they speak."""
        return "; ".join(filter(None, (self.detail, self.hint)))

    @property
    def detail(self) -> str:
        """What is wrong: "servers 'web-9': the source has no such server"."""
        if self.value is None:
            return self.reason
        shown = f" {self.value!r}" if self.value else ""
        return f"{self.choice.rpartition('.')[2]}{shown}: {self.reason}"


class ConfigError(UsageError):
    """The configuration cannot be used; names the file, the path of the key and what is allowed."""


class CloudError(PumphouseError):
    """A cloud refused or failed, in the service's own words."""


class TransferError(PumphouseError):
    """Bytes did not arrive as they left."""


class Cancelled(PumphouseError):  # noqa: N818 (what the operator asked for)
    """Somebody asked to stop; nothing is wrong."""
