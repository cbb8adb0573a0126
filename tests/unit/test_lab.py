"""The lab's pure parts: a fault here would end somebody else's process, or open a port to the network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.lab import bootstrap, layout
from tests.lab.guest import SECTOR, TAG, boots, guest_image
from tests.lab.layout import Lab, open_lab
from tests.lab.processes import Processes, Record, boot_id, everything, look_up, members
from tests.lab.rabbit import SETTINGS, broker_services
from tests.lab.settings import settings_files
from tests.lab.waiting import LabError, wait_for

PASSWORDS = {name: f"{name}-password" for name in ("src", "dst", "service", "database")}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path, 31000, PASSWORDS)


class TestGuest:
    def test_is_a_bootable_disk_with_a_partition_and_no_boots(self) -> None:
        disk = guest_image()
        assert len(disk) == 1 << 20
        assert disk[510:512] == b"\x55\xaa"
        assert disk[446] == 0x80, "Nova refuses a boot sector without a partition"
        assert boots(disk) == 0

    def test_no_two_are_alike(self) -> None:
        assert guest_image()[2 * SECTOR :] != guest_image()[2 * SECTOR :]

    @pytest.mark.parametrize("size", [0, 512, 1000, (1 << 20) + 1])
    def test_refuses_sizes_that_are_no_disk(self, size: int) -> None:
        with pytest.raises(ValueError, match="multiple of 512"):
            guest_image(size)

    def test_counter_is_read_from_the_first_two_sectors(self) -> None:
        disk = bytearray(guest_image(64 * SECTOR))
        disk[SECTOR + len(TAG) : SECTOR + len(TAG) + 4] = (258).to_bytes(4, "little")
        assert boots(bytes(disk[: 2 * SECTOR])) == 258

    @pytest.mark.parametrize("disk", [b"", bytes(1024), b"x" * 600])
    def test_other_disks_have_no_counter(self, disk: bytes) -> None:
        with pytest.raises(ValueError, match="not a guest's disk"):
            boots(disk)


class TestProcesses:
    @pytest.fixture
    def processes(self, tmp_path: Path) -> Processes:
        return Processes(tmp_path / "run")

    def start(self, processes: Processes, tmp_path: Path, script: str = "sleep 60") -> Record:
        processes.start("it", ["sh", "-c", script], dict(os.environ), tmp_path / "it.log")
        record = processes.record("it")
        assert record
        return record

    def test_stops_what_it_started_with_all_descendants(self, processes: Processes, tmp_path: Path) -> None:
        # one child in a session of its own, as daemons make them
        record = self.start(processes, tmp_path, "setsid sleep 60 & sleep 60 & echo up; wait")
        wait_for(lambda: len(members(record, everything())) >= 3, "three processes", seconds=10)
        processes.stop(["it"])
        assert members(record, everything()) == []
        assert processes.names() == []

    def test_stubborn_processes_are_killed(self, processes: Processes, tmp_path: Path) -> None:
        """They are gone at once, though they make others all the time."""
        for _ in range(5):
            script = "trap '' TERM; echo up; while :; do sleep 0.001 & sleep 0.01; done"
            record = self.start(processes, tmp_path, script)
            wait_for(lambda: "up" in (tmp_path / "it.log").read_text(), "the trap", seconds=10)
            processes.stop(["it"], grace=0.3)
            assert members(record, everything()) == []
            (tmp_path / "it.log").unlink()

    def test_finds_orphans_after_the_leader_died(self, processes: Processes, tmp_path: Path) -> None:
        record = self.start(processes, tmp_path, "sleep 60 & exit")
        wait_for(lambda: processes.dead() == ["it"], "the leader's end", seconds=10)
        assert len(members(record, everything())) == 1
        processes.stop(["it"])
        assert members(record, everything()) == []

    @pytest.mark.parametrize("change", [{"born": 1}, {"boot": "another boot"}])
    def test_a_pid_given_to_somebody_else_is_left_alone(self, processes: Processes, change: dict[str, Any]) -> None:
        stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
        try:
            living = look_up(stranger.pid)
            assert living
            ours = Record(living.pid, living.born, boot_id(), "a mark", "/dev/null", 0.0)
            processes.directory.mkdir()
            (processes.directory / "it.process").write_text(json.dumps(vars(replace(ours, **change))))
            assert not processes.running("it")
            processes.stop(["it"])
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()

    def test_starting_twice_starts_once(self, processes: Processes, tmp_path: Path) -> None:
        first = self.start(processes, tmp_path)
        assert not processes.start("it", ["sleep", "60"], {}, tmp_path / "it.log")
        assert processes.record("it") == first
        processes.stop(["it"])

    def test_a_broken_record_counts_as_none(self, processes: Processes) -> None:
        processes.directory.mkdir()
        (processes.directory / "it.process").write_text("{")
        assert processes.running("it") is None
        assert processes.dead() == ["it"]


class TestSettings:
    def test_everything_listens_on_the_loopback(self, lab: Lab) -> None:
        texts = [text for cloud in lab.clouds for text in settings_files(cloud).values()]
        for text in [*texts, SETTINGS.format(port=1, place="/x")]:
            assert "0.0.0.0" not in text
            for option, value in re.findall(r"^(\w*(?:listen|bind_host)\w*) = (.+)$", text, re.MULTILINE):
                if not option.endswith("port"):
                    assert value == "127.0.0.1", option
            for host in re.findall(r"//(?:[^/@\s]*@)?([^/:\s]+):\d+", text):
                assert host == "127.0.0.1"
        required = {"osapi_compute_listen", "osapi_volume_listen", "bind_host"}
        assert required <= {option for text in texts for option in re.findall(r"^(\w+) =", text, re.MULTILINE)}

    def test_brokers_node_is_reached_on_the_loopback_only(self, lab: Lab) -> None:
        environment = broker_services(lab).environment
        assert environment["ERL_EPMD_ADDRESS"] == "127.0.0.1"
        assert "inet_dist_use_interface {127,0,0,1}" in environment["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]

    def test_ports_follow_the_base_and_do_not_meet(self, lab: Lab) -> None:
        ports = [lab.port(what) for what in layout.BROKER]
        ports += [cloud.port(service) for cloud in lab.clouds for service in layout.SERVICES]
        assert len(set(ports)) == len(ports)
        assert all(31000 <= port < 31300 for port in ports)

    def test_a_compute_host_is_told_of_no_database(self, lab: Lab) -> None:
        for cloud in lab.clouds:
            for compute in cloud.computes:
                assert "database]" not in settings_files(cloud)[f"nova/{compute}.conf"]

    def test_passwords_stay_out_of_representations(self, lab: Lab) -> None:
        assert "-password" not in repr(lab.source)


class TestOpening:
    @pytest.fixture(autouse=True)
    def environment(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PUMPHOUSE_LAB_DIR", str(directory))
        monkeypatch.delenv("PUMPHOUSE_LAB_PORT_BASE", raising=False)

    @pytest.fixture
    def directory(self) -> Iterator[Path]:
        # Pytest's own may be too long for sockets.
        with tempfile.TemporaryDirectory() as short:
            yield Path(short) / "l"

    def test_settles_ports_and_passwords_once(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PUMPHOUSE_LAB_PORT_BASE", "25000")
        first = open_lab()
        monkeypatch.delenv("PUMPHOUSE_LAB_PORT_BASE")
        assert open_lab() == first
        assert (directory / "settled.json").stat().st_mode & 0o777 == 0o600
        monkeypatch.setenv("PUMPHOUSE_LAB_PORT_BASE", "26000")
        with pytest.raises(LabError, match="from 25000 on, not 26000"):
            open_lab()

    def test_refuses_a_directory_of_others(self, directory: Path) -> None:
        directory.mkdir()
        (directory / "thesis.txt").touch()
        with pytest.raises(LabError, match="holds other things"):
            open_lab()

    @pytest.mark.parametrize("bad", ["relative", "/var/tmp/with space", "/" + "x" * 100])
    def test_refuses_paths_that_cannot_work(self, bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PUMPHOUSE_LAB_DIR", bad)
        with pytest.raises(LabError, match="PUMPHOUSE_LAB_DIR"):
            open_lab()


class TestPolicy:
    """Installing packages starts nothing, and leaves policy-rc.d as it was."""

    @pytest.fixture
    def policy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(bootstrap, "POLICY", tmp_path / "policy-rc.d")
        monkeypatch.setattr(bootstrap, "POLICY_KEPT", tmp_path / "kept")
        return tmp_path / "policy-rc.d"

    def test_none_before_none_after(self, policy: Path) -> None:
        with bootstrap.nothing_starts():
            assert subprocess.run([policy]).returncode == 101
        assert not policy.exists()

    def test_the_owners_comes_back_even_after_a_killed_installation(self, policy: Path) -> None:
        policy.write_text("#!/bin/sh\nexit 0\n")
        killed = bootstrap.nothing_starts()
        killed.__enter__()
        with bootstrap.nothing_starts():
            assert "101" in policy.read_text()
        assert policy.read_text() == "#!/bin/sh\nexit 0\n"
        assert not bootstrap.POLICY_KEPT.exists()


def test_a_wait_ends_at_once_when_there_is_trouble() -> None:
    with pytest.raises(LabError, match="glance died"):
        wait_for(lambda: False, "glance", seconds=60, trouble=lambda: "glance died")


def test_the_lab_needs_nothing_but_the_standard_library() -> None:
    command = [sys.executable, "-S", "-m", "tests.lab", "--help"]
    done = subprocess.run(command, cwd=layout.HERE.parents[1], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
