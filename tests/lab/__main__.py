"""`python3 -m tests.lab up|down|status|wipe|prepare|check`"""

from __future__ import annotations

import argparse
import concurrent.futures
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from . import bootstrap, status, written
from .cloud import CloudControl
from .layout import SERVICES, Lab, open_lab
from .rabbit import broker_services, start_broker
from .services import Services, listening
from .waiting import InterruptedWaitError, LabError, interrupted, say, wait_for


def together(*actions: Callable[[], None]) -> None:
    """Do these side by side; the first error ends the others' waits, and all errors are told."""
    if not actions:
        return
    with concurrent.futures.ThreadPoolExecutor(len(actions)) as pool:
        futures = [pool.submit(action) for action in actions]
        try:
            done, _ = concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_EXCEPTION)
            if any(future.exception() for future in done):
                interrupted.set()
        except KeyboardInterrupt:
            interrupted.set()
            raise
    errors = [error for future in futures if (error := future.exception())]
    for error in errors:
        if not isinstance(error, LabError):
            raise error
    causes = [error for error in errors if not isinstance(error, InterruptedWaitError)]
    if errors:
        raise LabError("\n".join(str(error) for error in causes or errors))


def controls(lab: Lab) -> list[CloudControl]:
    """Both clouds."""
    return [CloudControl(cloud) for cloud in lab.clouds]


def up(lab: Lab) -> None:
    """Install what is missing and start what is not running."""
    bootstrap.prepare(lab)
    broker = broker_services(lab)
    if all(control.is_up() for control in controls(lab)) and not broker.processes.dead():
        say(f"both clouds are up already: {lab.directory}")
        return
    refuse_taken_ports(lab, broker)
    waiting = [control for control in controls(lab) if not control.is_up()]
    # the broker has one thread: among forty starting services it would be the last to be ready
    together(lambda: start_broker(lab, broker), *(control.start_base for control in waiting))
    together(*(control.start_rest for control in waiting))
    written.write(lab)
    say(f"both clouds are up: {lab.directory}/clouds.yaml has them as `src` and `dst`")


def refuse_taken_ports(lab: Lab, broker: Services) -> None:
    """Raise LabError when somebody else listens on a port whose process of ours is to be started."""
    names = {"amqp": "rabbitmq", "erlang": "rabbitmq", "epmd": "epmd"}
    ports = [(lab.port(what), broker, name) for what, name in names.items()]
    for control in controls(lab):
        ports += [(control.cloud.port(name), control.services, name) for name in SERVICES]
    taken = [
        f"{port} ({services.label} {name})"
        for port, services, name in ports
        if listening(port) and not services.running(name)
    ]
    if taken:
        raise LabError(
            f"taken by other programs: port {', '.join(taken)}; end them, or give another lab directory "
            "other ports with PUMPHOUSE_LAB_DIR and PUMPHOUSE_LAB_PORT_BASE"
        )


def down(lab: Lab) -> None:
    """Stop everything; the state stays."""
    together(*(control.down for control in controls(lab)))
    broker_services(lab).processes.stop(["rabbitmq", "epmd"], grace=10)
    say("both clouds are down")


def wipe(lab: Lab, everything: bool) -> None:
    """Stop everything and forget the state; the template and the virtual environment only with `--all`."""
    together(*(control.wipe for control in controls(lab)))
    broker_services(lab).processes.stop(["rabbitmq", "epmd"], grace=10)
    written.remove(lab, everything)
    say(f"wiped {lab.directory}" + ("" if everything else "; the template and the venv are kept"))


@contextmanager
def alone(lab: Lab) -> Iterator[None]:
    """Let only one command change the lab at a time."""
    with (lab.directory / "lock").open("w") as lock:

        def taken() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not taken():
            say("another command is at work on this lab; waiting for it")
            wait_for(taken, "the other command's end", seconds=1800, interval=0.5)
        yield


def stop_on_signal(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends us as Ctrl-C does."""
    raise KeyboardInterrupt


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="install what is missing, start what is not running")
    commands.add_parser("down", help="stop; the state stays")
    commands.add_parser("status", help="what runs, with its memory; exit code 3 unless both clouds are up")
    wiping = commands.add_parser("wipe", help="stop and forget the state")
    wiping.add_argument("--all", action="store_true", help="the template and the venv too")
    commands.add_parser("prepare", help="install only")
    commands.add_parser("check", help="say whether the lab can run on this machine")
    return parser.parse_args()


def main() -> int:
    """Do one command; the exit code."""
    chosen = arguments()
    reason = bootstrap.why_not()
    if reason or chosen.command == "check":
        print(reason or "the lab can run here", file=sys.stderr if reason else sys.stdout)
        return 1 if reason else 0
    signal.signal(signal.SIGTERM, stop_on_signal)
    os.umask(0o022)
    try:
        lab = open_lab()
        if chosen.command == "status":
            return status.show(lab)
        with alone(lab):
            if chosen.command == "wipe":
                wipe(lab, chosen.all)
            else:
                {"up": up, "down": down, "prepare": bootstrap.prepare}[chosen.command](lab)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; `make lab` goes on from here, `make lab-wipe` forgets it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
