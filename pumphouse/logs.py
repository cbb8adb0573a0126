"""What of the logs reaches the terminal, and that no secret does."""

from __future__ import annotations

import logging
import re
import sys
import warnings

#: Header and field names whose values are secret, as they appear in headers, JSON and Python dicts.
_NAMES = (
    r"x-(?:auth|subject|service)-token|authorization|[a-z_]*passw(?:or)?d[a-z_]*|admin_?pass|original_password"
    r"|[a-z_]*secret|private_key|auth_key|passcode|user_data|signature"
)
_SECRETS = (
    # "password": "x", 'adminPass': u'x', in JSON and dicts, also where quotes are escaped.
    (
        re.compile(rf"""(?i)(\\?["'](?:{_NAMES})\\?["']\s*[:=]\s*u?)(\\?["'])(?:\\.|(?!\2)[^\\])*\2"""),
        r"\1\2***\2",
    ),
    # X-Auth-Token: x, password=x, in headers and logs; what keystoneauth has hashed already is left.
    (re.compile(rf"""(?i)\b({_NAMES})(\s*[:=]\s*)(?!\{{SHA256\}}|\\?["']|\*\*\*)[^\s"',;&]+"""), r"\1\2***"),
    # scheme://user:password@host
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@"), r"\1:***@"),
    # Tokens of our own API.
    (re.compile(r"\bph_[0-9a-f]{12}_[\w-]{20,}"), "ph_***"),
    # Fernet tokens, wherever they are, and password hashes of Keystone.
    (re.compile(r"\bgAAAAA[A-Za-z0-9_=-]{40,}"), "***"),
    (re.compile(r"\$(?:2[aby]|scrypt|pbkdf2-sha512|6)\$[^\s\"']{20,}"), "***"),
)


def redact(text: str) -> str:
    """The text with every value that looks like a secret replaced by ``***``."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class SafeFormatter(logging.Formatter):
    """Formats without secrets, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, redacted as a whole, as a secret may come in by any of its parts."""
        return redact(super().format(record))


class TerminalHandler(logging.Handler):
    """Writes to whatever stderr is now: a live display takes its place for a while."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            print(self.format(record), file=sys.stderr)
        except Exception:
            self.handleError(record)


def set_up(*, verbose: bool, debug: bool) -> None:
    """Our warnings go to stderr; ``verbose``: our notes, libraries' warnings too; ``debug``: everything."""
    handler = TerminalHandler()
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s %(message)s" if debug else "%(message)s"))
    root, ours = logging.getLogger(), logging.getLogger("pumphouse")
    root.handlers = [handler]
    root.setLevel(logging.DEBUG if debug else logging.WARNING if verbose else logging.CRITICAL + 1)
    ours.setLevel(logging.DEBUG if debug else logging.INFO if verbose else logging.WARNING)
    # SQL is not logged at all: its parameters are our own state and Keystone's hashes.
    for name in ("sqlalchemy", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING if verbose or debug else logging.CRITICAL + 1)
    logging.captureWarnings(True)
    if not debug:
        warnings.simplefilter("ignore")
