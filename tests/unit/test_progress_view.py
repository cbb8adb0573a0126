"""Figures of a running migration."""

from __future__ import annotations

import io

from pumphouse import human
from pumphouse.cli import progress_view, text
from pumphouse.transfer.progress import DONE, FAILED, RUNNING, Progress, UnitProgress


def test_rate_is_that_of_the_last_seconds():
    now = [0.0]
    rates = progress_view.Rates(lambda: now[0])
    assert rates("a", 0) == 0.0
    seen = []
    for second in range(1, 61):
        now[0] = float(second)
        seen.append(rates("a", second * 100 if second < 30 else 3000))
    assert seen[20] == 100.0
    assert seen[-1] == 0.0, "a transfer that hangs must not look as if it ran"


def test_amounts_say_only_what_is_known():
    unit = UnitProgress("a", "a", 0)
    assert progress_view.amounts(unit, 5.0) == ("", "", "")
    unit.bytes_total = 2**30
    assert progress_view.amounts(unit, 0.0) == ("0 B of 1.0 GiB", "", "")
    unit.bytes_done = 2**29
    assert progress_view.amounts(unit, 2**20) == ("512.0 MiB of 1.0 GiB", "1.0 MiB/s", "8 min 32 s left")
    unit.bytes_done = 2**31
    assert progress_view.amounts(unit, 2**20) == ("2.0 GiB of 1.0 GiB", "", "")


def test_no_remaining_time_is_told_of_what_is_only_guessed():
    """A disk of 1 GiB may be 1.4 MiB of bytes: that is known when it is an image."""
    progress = Progress([UnitProgress("a", "a", 2**30 + 2**31, bytes_guessed=2**30 + 2**31)])
    unit = progress.units["a"]
    assert progress_view.amounts(unit, 2**20) == ("0 B of at most 3.0 GiB", "", "")
    progress.expect("a", 2**21 - 2**30, guessed=2**30)
    progress.advance("a", 2**20)
    assert progress_view.amounts(unit, 2**20) == ("1.0 MiB of at most 2.0 GiB", "1.0 MiB/s", "")
    progress.expect("a", 2**21 - 2**31, guessed=2**31)
    assert progress_view.amounts(unit, 2**20) == ("1.0 MiB of 4.0 MiB", "1.0 MiB/s", "3.0 s left")
    progress.advance("a", 3 * 2**20)
    assert progress_view.amounts(unit, 2**20) == ("4.0 MiB of 4.0 MiB", "", "")


def test_overall_counts_failures():
    units = [UnitProgress(name, name, 10) for name in "abc"]
    units[0].state, units[1].state = DONE, FAILED
    assert progress_view.overall(Progress(units)) == "1 of 3 units, 1 failed; 0 B of 30 B"


def test_plain_lines_tell_now_and_then(monkeypatch):
    out = io.StringIO()
    progress = Progress([UnitProgress("a", "image a", 2**30, RUNNING, "copying")])
    view = progress_view.view(progress, text.console(out), quiet=False)
    assert isinstance(view, progress_view.PlainView)
    with view.showing():
        view.tick()
        assert out.getvalue() == ""
        monkeypatch.setattr(progress_view, "INTERVAL", 0.0)
        view.tick()
        progress.state("a", FAILED, "no\nhost")
    first, second = out.getvalue().splitlines()
    assert first[9:] == "image a: copying, 0 B of 1.0 GiB"
    assert second[9:] == "image a: failed: no\\nhost"


def test_sizes_and_times():
    assert [human.size(n) for n in (None, 0, 1023, 1024, 1536 * 2**20, 2**50)] == [
        "", "0 B", "1023 B", "1.0 KiB", "1.5 GiB", "1024.0 TiB",
    ]  # fmt: skip
    assert [human.duration(s) for s in (None, 0, 9.94, 59.4, 65, 7500)] == [
        "", "0.0 s", "9.9 s", "59 s", "1 min 05 s", "2 h 05 min",
    ]  # fmt: skip
    assert human.clean("a\x1b]0;x\x07é\u202e") == "a\\x1b]0;x\\x07é\\u202e"
