"""``python -m tests.chaos [KIND...] [--sample N] [--seed S]``: runs, faults injected, survived, lost."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.injections import Injection, of_bytes, of_points, of_requests, of_reverts
from tests.chaos.world import Outcome, World

KINDS = ("points", "reverts", "requests", "bytes")


def injections(world: World, kinds: list[str]) -> list[Injection]:
    """All of these kinds."""
    copies = world.points["bytes"]
    every = {
        "points": lambda: of_points(world.points),
        "reverts": lambda: of_reverts(world.points),
        "requests": lambda: of_requests(world.requests),
        "bytes": lambda: of_bytes(copies),
    }
    return [one for kind in kinds for one in every[kind]()]


def sample(world: World, kinds: list[str], number: int, seed: int) -> list[Injection]:
    """Some of them, the same for the same seed as long as the runs are alike."""
    found = injections(world, kinds)
    return random.Random(seed).sample(found, min(number, len(found)))


def main(arguments: list[str]) -> int:
    """Run them; 1 if any is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)} (default: all)")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of each kind, by chance")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    began, totals, lost = time.monotonic(), Counter[str](), list[Outcome]()
    with tempfile.TemporaryDirectory(prefix="pumphouse-chaos-") as folder, World(Path(folder)) as world:
        print(f"points {dict(world.points)}, requests {world.requests}", flush=True)
        chosen: list[Injection] = []
        for kind in given.kinds or KINDS:
            number = given.sample or sys.maxsize
            chosen += sample(world, [kind], number, given.seed)
        for done, injection in enumerate(chosen, 1):
            outcome = world.run(injection)
            totals["runs"] += 1
            totals["injected"] += outcome.struck
            totals["lost" if outcome.problems else "survived"] += 1
            if outcome.problems:
                lost.append(outcome)
                print(f"LOST: {injection}: {'; '.join(outcome.problems[:8])}\n{outcome.said[-3000:]}", flush=True)
            if done % 20 == 0 or done == len(chosen):
                print(f"{done} of {len(chosen)}: {_words(totals)}; {time.monotonic() - began:.0f} s", flush=True)
    return int(bool(lost))


def _words(totals: Counter[str]) -> str:
    return ", ".join(f"{name} {totals[name]}" for name in ("runs", "injected", "survived", "lost"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
