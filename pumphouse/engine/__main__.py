"""``python -m pumphouse.engine --config FILE``: one engine, until it is asked to end or its parent has ended."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading

from pumphouse import config, logs
from pumphouse.engine.engine import Engine
from pumphouse.errors import PumphouseError
from pumphouse.store import Store

LOG = logging.getLogger("pumphouse.engine")


def main() -> int:
    """Run it; 0 after a clean end."""
    parser = argparse.ArgumentParser(prog="pumphouse-engine", description=__doc__)
    parser.add_argument("--config", metavar="FILE", help="the configuration")
    parser.add_argument("--child", action="store_true", help="end when standard input does: the parent has ended")
    parser.add_argument("--debug", action="store_true", help="log what is done in detail")
    given = parser.parse_args()
    logs.set_up(verbose=True, debug=given.debug)
    try:
        settings = config.load(given.config)
        with Store.open(settings.database) as store:
            return _run(Engine(settings, store), given.child)
    except PumphouseError as error:
        print(f"pumphouse-engine: {error}", file=sys.stderr)
        return error.exit_code


def _run(engine: Engine, child: bool) -> int:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: engine.leave.set())
    if child:
        threading.Thread(target=_watch, args=(engine,), name="parent", daemon=True).start()
    LOG.info("the engine runs (process %s)", os.getpid())
    if not engine.run():
        LOG.warning("what still runs is left for the next engine")
        sys.stderr.flush()
        # Threads that copy cannot be ended otherwise; all that they do can be gone on with.
        os._exit(0)
    return 0


def _watch(engine: Engine) -> None:
    """Until the parent's end of the pipe is closed."""
    while os.read(0, 1):
        pass
    engine.leave.set()


if __name__ == "__main__":
    sys.exit(main())
