"""``python -m pumphouse.embedded.demo``: the tenant of the demonstration, on any two clouds.

``fill``           makes it on ``src`` of clouds.yaml, and prints the options that name it:
                   --tenant acme --domain acme-0001. On ``dst`` it makes the network outside, which no migration makes
``prove [DOMAIN]`` has its people log in to ``dst`` with their old passwords and look round
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pumphouse.embedded.demo import SIZES, fill
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.demo.proof import prove
from pumphouse.errors import UsageError


def main() -> int:
    """Fill or prove."""
    parser = argparse.ArgumentParser(
        prog="python -m pumphouse.embedded.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    filling = commands.add_parser("fill")
    filling.add_argument("--size", choices=SIZES, default=SIZES[0])
    filling.add_argument("--image", type=Path, help="a raw disk that boots (default: random bytes, which do not)")
    commands.add_parser("prove").add_argument("domain", nargs="?", default="")
    arguments = parser.parse_args()
    source, destination = operator("src"), operator("dst")
    if arguments.command == "prove":
        try:
            print("\n".join(prove(source, destination, arguments.domain)))
        except UsageError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        return 0
    disk = arguments.image.read_bytes() if arguments.image else None
    domain = fill(source, destination, arguments.size, disk, say=lambda line: print(line, file=sys.stderr, flush=True))
    print(f"--tenant acme --domain {domain}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
