"""``python -m pumphouse.embedded serve``: one embedded cloud, which lives until its standard input is closed."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path

from pumphouse.embedded.process import PASSWORD, entry, write_private
from pumphouse.embedded.releases import RELEASES


def main() -> int:
    """Serve until nobody needs it any more. The one line that it prints says where it is."""
    parser = argparse.ArgumentParser(prog="python -m pumphouse.embedded", description=__doc__)
    serve = parser.add_subparsers(dest="command", required=True).add_parser("serve", help="run a cloud")
    serve.add_argument("--name", default="cloud", help="its entry in the clouds.yaml that is written")
    serve.add_argument("--release", choices=RELEASES, default="zed")
    serve.add_argument("--directory", type=Path, required=True, help="its own, for its database and all bytes")
    serve.add_argument("--port", type=int, default=0, help="on the loopback; 0: any that is free")
    arguments = parser.parse_args()

    # After the options are known to be right: it takes a while.
    from pumphouse.embedded.cloud import EmbeddedCloud
    from pumphouse.embedded.server import serve as listen

    password = os.environ.get(PASSWORD) or secrets.token_urlsafe(12)
    cloud = EmbeddedCloud(arguments.name, arguments.release, arguments.directory, password)
    server = listen(cloud, arguments.port)
    auth_url = f"{cloud.url}{cloud.identity.endpoint()}"
    clouds = {"clouds": {arguments.name: entry(auth_url, password)}}
    described = {
        "url": cloud.url,
        "auth_url": auth_url,
        "database": cloud.identity.database.url,
        "clouds_yaml": str(write_private(cloud.directory / "clouds.yaml", clouds)),
    }
    print(json.dumps(described), flush=True)
    sys.stdin.read()
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
