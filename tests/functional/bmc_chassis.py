"""The machine behind a simulated BMC: ipmi_sim calls this program, and a QEMU is started and stopped.

Called as ``bmc_chassis.py DIRECTORY get|set WHAT [VALUE]...``. The directory has ``machine.json`` (mac, netdev: QEMU's
option) and gets ``log``: what the BMC was told, in the order in which it was, and what the machine did about it.
Nothing but the standard library: it runs with ``-I -S``, several times a second.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

directory = Path(sys.argv[1])
pid_file, boot_file = directory / "qemu.pid", directory / "boot"


def log(line):
    with (directory / "log").open("a") as file:
        file.write(f"{line}\n")


def qemu():
    try:
        pid = int(pid_file.read_text())
        return pid if "qemu" in Path(f"/proc/{pid}/cmdline").read_text() else None
    except (OSError, ValueError):
        return None


def stop():
    if pid := qemu():
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 5
        while qemu() and time.monotonic() < end:
            time.sleep(0.05)


def start():
    if qemu():
        return
    machine = json.loads((directory / "machine.json").read_text())
    network = boot_file.exists() and boot_file.read_text() == "pxe"
    # Valid for one start.
    boot_file.unlink(missing_ok=True)
    log(f"starts from {'network' if network else 'disk'}")
    subprocess.run(
        [
            *("qemu-system-x86_64", "-M", "pc,graphics=off", "-accel", "tcg", "-m", "96", "-nodefaults"),
            *("-display", "none", "-serial", f"file:{directory / 'serial.log'}", "-boot", "n" if network else "c"),
            *("-netdev", machine["netdev"], "-device", f"e1000,netdev=lan,mac={machine['mac']}"),
            *("-daemonize", "-pidfile", str(pid_file)),
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(directory / "qemu.log").open("w"), check=True,
    )  # fmt: skip


def get(names):
    for name in names:
        if name == "power":
            print(f"power:{int(bool(qemu()))}")
        elif name == "boot":
            print(f"boot:{boot_file.read_text() if boot_file.exists() else 'none'}")


def set_(name, value):
    if name == "power":
        start() if value == "1" else stop()
    elif name == "boot":
        boot_file.write_text(value)
    elif name == "shutdown":
        # This machine has no operating system; one that obeys is played where the test wants it.
        if (directory / "obeys").exists():
            stop()
    elif name == "reset" and qemu():
        stop()
        start()


_, _, verb, *words = sys.argv
if verb == "get":
    get(words)
elif verb == "set":
    log(f"{' '.join(words)}")
    set_(words[0], words[1])
