"""SQLAlchemy URLs: checked without connecting, and never shown with their password."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

#: What each database is reached through here, and what makes Python know it.
DRIVERS = {
    "sqlite": ("sqlite", "part of Python"),
    "mysql": ("mysql+pymysql", "pip install pymysql"),
    "mariadb": ("mariadb+pymysql", "pip install pymysql"),
    "postgresql": ("postgresql+psycopg", "pip install 'pumphouse[postgresql]'"),
}

ALLOWED = "allowed: a SQLAlchemy URL such as mysql+pymysql://USER:PASSWORD@HOST/DATABASE"


def check_url(text: str, directory: Path) -> str:
    """The URL, if it can be used; the file of a relative SQLite URL is taken from ``directory``.

    Raises ValueError with a sentence for the operator in which nothing of the URL is shown but its scheme.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        if "://" in text:
            raise ValueError(
                "is not a SQLAlchemy URL; special characters in user or password must be %-encoded "
                "(@ is %40, / is %2F, : is %3A, % is %25)"
            ) from None
        raise ValueError(f"is not a SQLAlchemy URL; {ALLOWED}") from None
    if url.drivername in DRIVERS:
        # SQLAlchemy's own choice for a scheme without a driver is one that we do not depend on.
        url = url.set(drivername=DRIVERS[url.drivername][0])
    _check_driver(url)
    if url.get_backend_name() == "sqlite":
        return _absolute(url, directory).render_as_string(hide_password=False)
    if not url.host and not url.query:
        raise ValueError(f"names no host; {ALLOWED}")
    if not url.database:
        raise ValueError(f"names no database; {ALLOWED}")
    return url.render_as_string(hide_password=False)


def _check_driver(url: URL) -> None:
    """Raise ValueError when SQLAlchemy has no such dialect, or its driver is not installed."""
    from sqlalchemy.exc import ArgumentError, InvalidRequestError, NoSuchModuleError

    backend = url.drivername.partition("+")[0]
    scheme, remedy = DRIVERS.get(backend, ("", ""))
    try:
        url.get_dialect().import_dbapi()
    except NoSuchModuleError:
        known = [driver for driver, _ in DRIVERS.values()]
        near = difflib.get_close_matches(url.drivername, [*known, *DRIVERS], 1)
        hint = f"did you mean {near[0]}://? " if near else ""
        names = ", ".join(f"{name}://" for name in known)
        # The "scheme" of a mistyped URL may hold anything.
        shown = f"{url.drivername}:// is no database" if re.fullmatch(r"[\w+]{1,30}", url.drivername) else "no database"
        raise ValueError(f"{shown} that SQLAlchemy knows; {hint}allowed: {names}") from None
    except (ImportError, InvalidRequestError, ArgumentError) as error:
        module = getattr(error, "name", None) or "its module"
        if not scheme:
            raise ValueError(f"{url.drivername}:// needs the Python module {module}: install it") from None
        usable = f"use {scheme}:// " if url.drivername != scheme else ""
        raise ValueError(
            f"{url.drivername}:// needs the Python module {module}, which is not installed; {usable}({remedy})"
        ) from None


def _absolute(url: URL, directory: Path) -> URL:
    """A SQLite URL whose file does not depend on where the command is run."""
    name = url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        return url
    return url.set(database=str(directory / Path(name).expanduser()))


def masked(text: str) -> str:
    """The URL with its password hidden, for messages."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(text).set(query={}).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "(not a URL)"
