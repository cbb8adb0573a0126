"""``python -m pumphouse.embedded.nailgun serve``: one embedded Nailgun, which lives until its input is closed."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path

from pumphouse.embedded.nailgun.flavours import FLAVOURS
from pumphouse.embedded.process import PASSWORD


def main() -> int:
    """Serve until nobody needs it any more. The one line that it prints says where it is."""
    parser = argparse.ArgumentParser(prog="python -m pumphouse.embedded.nailgun", description=__doc__)
    serve = parser.add_subparsers(dest="command", required=True).add_parser("serve", help="run a Nailgun")
    serve.add_argument("--version", choices=FLAVOURS, default="9.2")
    serve.add_argument("--directory", type=Path, required=True, help="its own")
    serve.add_argument("--port", type=int, default=0, help="on the loopback; 0: any that is free")
    arguments = parser.parse_args()

    # After the options are known to be right: it takes a while.
    from pumphouse.embedded.nailgun.server import serve as listen
    from pumphouse.embedded.nailgun.whole import Nailgun

    master = Nailgun(arguments.version, arguments.directory, os.environ.get(PASSWORD) or secrets.token_urlsafe(12))
    server = listen(master, arguments.port)
    print(json.dumps({"url": master.url}), flush=True)
    sys.stdin.read()
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
