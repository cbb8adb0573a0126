"""What of the lab runs, and how much memory it takes."""

from __future__ import annotations

from pathlib import Path

from . import hosts
from .cloud import CloudControl
from .layout import Lab
from .processes import Living, Processes, Record, everything, members
from .rabbit import broker_services


def show(lab: Lab) -> int:
    """Print a line for each process; 0 when both clouds are up, else 3."""
    controls = [CloudControl(cloud) for cloud in lab.clouds]
    groups = [("broker", broker_services(lab).processes)]
    groups += [(control.cloud.name, control.services.processes) for control in controls]
    table, total = everything(), 0
    for label, processes in groups:
        for name in processes.names():
            total += _line(label, name, processes, table)
    for control in controls:
        state = "up" if control.is_up() else "not up"
        print(f"{control.cloud.name}: {state}, {control.cloud.release}, {control.cloud.auth_url}")
    print(f"memory: {total // 1024} MiB (shared pages divided among those who share them)")
    return 0 if all(control.is_up() for control in controls) else 3


def _line(label: str, name: str, processes: Processes, table: list[Living]) -> int:
    record = processes.record(name)
    memory = sum(_memory(pid) for pid in _pids(name, record, table)) if record else 0
    state = str(record.pid) if record and processes.running(name) else "DEAD"
    print(f"{label:<7} {name:<28} {state:>8} {memory // 1024:6d} MiB")
    return memory


def _pids(name: str, record: Record, table: list[Living]) -> set[int]:
    """The record's processes.  A host's line has what no other line has: its servers and their helpers."""
    pids = {living.pid for living in members(record, table)}
    if name.startswith(hosts.holder("")):
        space = _pid_namespace(record.pid, "pid_for_children")
        marked = {living.pid for living in table if living.mark}
        pids |= {living.pid for living in table if space and _pid_namespace(living.pid, "pid") == space} - marked
    return pids


def _pid_namespace(pid: int, kind: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        return ""


def _memory(pid: int) -> int:
    """Proportional set size, KiB."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(text.split("Pss:")[1].split()[0]) if "Pss:" in text else 0
