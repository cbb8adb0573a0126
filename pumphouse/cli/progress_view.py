"""A running migration on a terminal (lines that move) and elsewhere (lines with their time)."""

from __future__ import annotations

import collections
import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..human import clean, count, duration, short, size
from ..transfer.progress import BLOCKED, DONE, FAILED, RUNNING, STOPPED, Progress, UnitProgress
from .text import styled

#: Seconds over which a rate is measured, and between the lines of a long transfer without a terminal.
WINDOW, INTERVAL = 10.0, 10.0

#: What stands before a unit that has ended.
MARK = {DONE: "✓", FAILED: "✗", BLOCKED: "✗", STOPPED: "-"}
ENDS = frozenset(MARK)


class Rates:
    """Bytes per second of each unit, over the last seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Measure with this clock."""
        self._clock = clock
        self._seen: dict[str, collections.deque[tuple[float, int]]] = collections.defaultdict(collections.deque)

    def __call__(self, name: str, done: int) -> float:
        """The rate of a unit that has now done so many bytes; 0.0 while that is not known."""
        now, seen = self._clock(), self._seen[name]
        if not done:
            # What it did before the first byte says nothing about its rate.
            seen.clear()
        if not seen or seen[-1][0] < now:
            seen.append((now, done))
        while len(seen) > 2 and now - seen[1][0] >= WINDOW:
            seen.popleft()
        passed = seen[-1][0] - seen[0][0]
        return (seen[-1][1] - seen[0][1]) / passed if passed > 0 else 0.0


def amounts(unit: UnitProgress, rate: float) -> tuple[str, str, str]:
    """Bytes, rate and remaining time of a unit, each empty where there is nothing to say."""
    if not unit.bytes_total and not unit.bytes_done:
        return "", "", ""
    moved = size(unit.bytes_done)
    if unit.bytes_total:
        moved += f" of {'at most ' if unit.bytes_guessed else ''}{size(unit.bytes_total)}"
    # What is only guessed is not being moved yet; most of it may be holes.
    left = unit.bytes_total - unit.bytes_guessed - unit.bytes_done
    if rate < 1 or left <= 0:
        return moved, "", ""
    return moved, f"{size(int(rate))}/s", "" if unit.bytes_guessed else f"{duration(left / rate)} left"


def ending(unit: UnitProgress) -> str:
    """How a unit ended: ``done in 12 s, 1.2 GiB`` or why it did not."""
    seconds = unit.finished - unit.started if unit.started and unit.finished else None
    text = unit.state if seconds is None else f"{unit.state} in {duration(seconds)}"
    if unit.bytes_done:
        text += f", {size(unit.bytes_done)}"
    return f"{text}: {clean(unit.error)}" if unit.error else text


def overall(progress: Progress) -> str:
    """``3 of 9 units, 1 failed; 1.2 GiB of 4.0 GiB``."""
    units = list(progress.units.values())
    if not units:
        return "starting"
    text = f"{sum(unit.state == DONE for unit in units)} of {count(len(units), 'unit')}"
    if failed := sum(unit.state in (FAILED, BLOCKED) for unit in units):
        text += f", {failed} failed"
    total = sum(unit.bytes_total for unit in units)
    guessed = "at most " if any(unit.bytes_guessed for unit in units if unit.state not in ENDS) else ""
    if total:
        text += f"; {size(sum(unit.bytes_done for unit in units))} of {guessed}{size(total)}"
    return text


class LiveView:
    """A line per running unit, an overall line below; what has ended scrolls up as a plain line."""

    def __init__(self, progress: Progress, console: Console) -> None:
        """Show this progress on this console."""
        self._progress, self._console = progress, console
        self._rates = Rates()
        self._started = time.monotonic()
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4, transient=True)

    @contextlib.contextmanager
    def showing(self) -> Iterator[LiveView]:
        """Show until the block ends."""
        self._progress.listen(self._changed)
        with self._live:
            yield self

    def tick(self) -> None:
        """Nothing: the display refreshes itself."""

    def say(self, text: str) -> None:
        """A line for the operator, above the moving ones."""
        self._console.print(Text(text))

    def _changed(self, unit: UnitProgress, what: str) -> None:
        if what == "state" and unit.state in ENDS:
            line = Text(f"{MARK[unit.state]} ", style="bold")
            line.append(short(unit.title)).append("  ").append(ending(unit))
            line.stylize(styled(unit.state).style, 0, 1)
            self._console.print(line)

    def _render(self) -> RenderableType:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=2)
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=3)
        for _ in range(3):
            grid.add_column(no_wrap=True, justify="right")
        grid.expand = True
        for unit in list(self._progress.units.values()):
            if unit.state == RUNNING:
                parts = amounts(unit, self._rates(unit.name, unit.bytes_done))
                grid.add_row(Text(f"> {short(unit.title)}"), Text(short(unit.step, 100)), *map(Text, parts))
        total = f"{overall(self._progress)}; {duration(time.monotonic() - self._started)}"
        return Group(grid, Text(total, style="bold", no_wrap=True, overflow="ellipsis"))


class PlainView:
    """A line with its time at each change, and every ten seconds of a transfer; for logs and pipes."""

    def __init__(self, progress: Progress, console: Console) -> None:
        """Write lines about this progress to this console."""
        self._progress, self._console = progress, console
        self._rates = Rates()
        self._told = time.monotonic()

    @contextlib.contextmanager
    def showing(self) -> Iterator[PlainView]:
        """Write until the block ends."""
        self._progress.listen(self._changed)
        yield self

    def tick(self) -> None:
        """Called now and then: tell how far the running transfers are, when it is time to."""
        now = time.monotonic()
        if now - self._told < INTERVAL:
            return
        self._told = now
        for unit in list(self._progress.units.values()):
            parts = amounts(unit, self._rates(unit.name, unit.bytes_done))
            if unit.state == RUNNING and parts[0]:
                told = ", ".join(part for part in (short(unit.step, 100), *parts) if part)
                self.say(f"{short(unit.title)}: {told}")

    def say(self, text: str) -> None:
        """A line for the operator."""
        self._console.out(f"{time.strftime('%H:%M:%S')} {text}", highlight=False)

    def _changed(self, unit: UnitProgress, what: str) -> None:
        if what == "step":
            self.say(f"{short(unit.title)}: {short(unit.step, 100)}")
        elif unit.state in ENDS:
            self.say(f"{short(unit.title)}: {ending(unit)}")


class SilentView:
    """Nothing but what the operator must be told (``--quiet``)."""

    def __init__(self, progress: Progress, console: Console) -> None:
        """Take the same arguments as the others."""
        del progress
        self._console = console

    @contextlib.contextmanager
    def showing(self) -> Iterator[SilentView]:
        """Show nothing."""
        yield self

    def tick(self) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """A line for the operator."""
        self._console.out(text, highlight=False)


View = LiveView | PlainView | SilentView


def view(progress: Progress, console: Console, *, quiet: bool) -> View:
    """The view that fits the console."""
    if quiet:
        return SilentView(progress, console)
    return LiveView(progress, console) if console.is_terminal else PlainView(progress, console)
