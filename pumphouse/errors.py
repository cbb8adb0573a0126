"""What Pumphouse raises: one line for the operator, and the exit code that goes with it."""


class PumphouseError(Exception):
    """Something failed; the message is one line that names the thing and the remedy."""

    exit_code = 1


class UsageError(PumphouseError):
    """Bad input: nothing was done, and the message says what would be accepted."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration cannot be used; names the file, the path of the key and what is allowed."""


class CloudError(PumphouseError):
    """A cloud refused or failed, in the service's own words."""


class TransferError(PumphouseError):
    """Bytes did not arrive as they left."""


class Cancelled(PumphouseError):  # noqa: N818 (what the operator asked for)
    """Somebody asked to stop; nothing is wrong."""
