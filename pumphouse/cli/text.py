"""How things are written to the terminal: consoles, colours, tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..human import clean

#: Columns where the output is no terminal: nothing is cut there, but reasons still wrap somewhere.
WIDE = 200

#: Colours of verdicts, actions and states.
STYLES = {
    "create": "green",
    "move": "green",
    "reuse": "dim",
    "conflict": "bold red",
    "skip": "yellow",
    "equal": "green",
    "mapped": "green",
    "differs": "bold red",
    "not carried": "yellow",
    "not verified": "yellow",
    "failed": "bold red",
    "blocked": "red",
    "stopped": "yellow",
    "done": "green",
    "running": "cyan",
}


def console(stream: TextIO | None = None) -> Console:
    """A console on stdout or another stream, that neither interprets markup nor cuts lines when piped."""
    stream = stream or sys.stdout
    # With a height given, too, rich asks nobody for the size of a terminal, line after line.
    width, height = (None, None) if stream.isatty() else (WIDE, WIDE)
    return Console(file=stream, width=width, height=height, markup=False, highlight=False, emoji=False, soft_wrap=False)


def styled(word: object) -> Text:
    """A verdict, action or state in its colour."""
    return Text(clean(word), style=STYLES.get(str(word), ""))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, fixed: Iterable[str] = ()) -> Table:
    """A table without borders; numbers of bytes and the like stand right; ``fixed`` columns never wrap."""
    result = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        right = heading in ("size", "bytes", "moved", "downtime", "time", "id")
        result.add_column(
            heading.upper(),
            justify="right" if right else "left",
            no_wrap=right or heading in fixed,
            overflow="fold",
        )
    for row in rows:
        result.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row))
    return result
