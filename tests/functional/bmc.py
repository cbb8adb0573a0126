"""Simulated machines with real IPMI BMCs: OpenIPMI's ipmi_sim, and a QEMU that it starts and stops."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAMS = {"ipmi_sim": "openipmi", "ipmitool": "ipmitool", "qemu-system-x86_64": "qemu-system-x86 ipxe-qemu seabios"}
CHASSIS = Path(__file__).with_name("bmc_chassis.py")
USER, PASSWORD = "admin", "s3cret-of-bmc"
OPERATOR, VIEWER = ("oper", "oper-pass"), ("viewer", "viewer-pass")

LAN = """\
name "{name}"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_callback md5
    allowed_auths_user md5
    allowed_auths_operator md5
    allowed_auths_admin md5
    guid a1234567{port:024x}
  endlan
  chassis_control "{python} -I -S {chassis} {directory}"
  user 1 false "" "" user 10 md5
  user 2 true "{user}" "{password}" admin 10 md5
  user 3 true "{operator[0]}" "{operator[1]}" operator 10 md5
  user 4 true "{viewer[0]}" "{viewer[1]}" user 10 md5
"""
EMULATION = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


def missing() -> str:
    """What is not installed, as a reason to leave a test out; empty: all is there."""
    packages = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    return f"LEFT OUT: simulated BMCs need the packages {' '.join(packages)}" if packages else ""


needs_simulator = pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")


class Machine:
    """One machine: ``with Machine(directory, "compute-1", "52:54:00:aa:00:01") as machine``.

    Without ``netdev`` its network is a UDP socket, on which :attr:`frames` are what the machine has sent. For a network
    with DHCP and TFTP give QEMU's option, such as ``user,id=lan,tftp=DIRECTORY,bootfile=boot.ipxe``.
    """

    def __init__(self, directory: Path, name: str, mac: str, netdev: str = "") -> None:
        self.directory = directory / name
        self.name, self.mac = name, mac
        self.netdev = netdev
        self.port = free_port()
        self.frames: list[bytes] = []
        self.process: subprocess.Popen[bytes] | None = None
        self._lan: socket.socket | None = None

    def __enter__(self) -> Machine:
        self.directory.mkdir(parents=True)
        (self.directory / "state").mkdir()
        netdev = self.netdev or self._listen()
        (self.directory / "machine.json").write_text(json.dumps({"mac": self.mac, "netdev": netdev}))
        known = {"user": USER, "password": PASSWORD, "operator": OPERATOR, "viewer": VIEWER, "python": sys.executable}
        lan = LAN.format(name=self.name, port=self.port, chassis=CHASSIS, directory=self.directory, **known)
        (self.directory / "lan.conf").write_text(lan)
        (self.directory / "sim.emu").write_text(EMULATION)
        with (self.directory / "sim.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["ipmi_sim", "-c", "lan.conf", "-f", "sim.emu", "-s", "state", "-n"],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            wait(lambda: self.ipmitool("power", "status") == "Chassis Power is off")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.directory / "qemu.pid").read_text()), signal.SIGKILL)
        if self._lan is not None:
            self._lan.close()

    def told(self) -> list[str]:
        """What the BMC was told to do, and what the machine did, in this order."""
        log = self.directory / "log"
        return log.read_text().splitlines() if log.exists() else []

    def serial(self) -> str:
        """What it has shown on its console."""
        log = self.directory / "serial.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def ipmitool(self, *arguments: str) -> str:
        """What a second client sees. Suite 3: the simulator knows no newer one."""
        done = subprocess.run(
            ["ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", str(self.port), "-U", USER,
             "-E", "-N", "2", "-R", "1", "chassis", *arguments],
            capture_output=True, text=True, timeout=30, env={**os.environ, "IPMI_PASSWORD": PASSWORD},
        )  # fmt: skip
        return done.stdout.strip()

    def hang(self) -> None:
        """The BMC answers no more, until it is told to :meth:`go_on`."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)

    def obey_shutdown(self) -> None:
        """From now on the operating system does as it is asked."""
        (self.directory / "obeys").touch()

    def asked_for_network(self) -> bool:
        """Whether the machine has asked by DHCP, from its MAC and as a PXE client, for something to boot."""
        mac = bytes.fromhex(self.mac.replace(":", ""))
        return any(
            frame[6:12] == mac and b"\x63\x82\x53\x63" in frame and b"PXEClient" in frame for frame in self.frames
        )

    def _listen(self) -> str:
        self._lan = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._lan.bind(("127.0.0.1", 0))
        port = self._lan.getsockname()[1]

        def receive(lan: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while True:
                    self.frames.append(lan.recv(65536))

        threading.Thread(target=receive, args=(self._lan,), daemon=True).start()
        return f"socket,id=lan,udp=127.0.0.1:{port},localaddr=127.0.0.1:{free_port()}"


@contextlib.contextmanager
def late(port: int, seconds: float) -> Iterator[int]:
    """A UDP port whose answers are those of ``port``, each this many seconds late."""
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside.bind(("127.0.0.1", 0))
    inside.connect(("127.0.0.1", port))
    asked: list[tuple[str, int]] = []

    def ask() -> None:
        with contextlib.suppress(OSError):
            while True:
                data, who = outside.recvfrom(65536)
                # A socket that is shut down receives nothing, from nobody.
                if who is None:
                    return
                asked.append(who)
                inside.send(data)

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                data = inside.recv(65536)
                if not data:
                    return
                timer = threading.Timer(seconds, send, (data, asked[-1]))
                timer.daemon = True
                timer.start()

    def send(data: bytes, who: tuple[str, int]) -> None:
        # Nobody may be there any more.
        with contextlib.suppress(OSError):
            outside.sendto(data, who)

    for target in (ask, answer):
        threading.Thread(target=target, daemon=True).start()
    try:
        yield outside.getsockname()[1]
    finally:
        # A shutdown wakes up who waits in recv; a close alone does not.
        for one in (inside, outside):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A UDP port that never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


def free_port() -> int:
    """A UDP port of the loopback that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait(condition: Callable[[], object], seconds: float = 30) -> None:
    """Until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)
