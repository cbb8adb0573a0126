"""Room on other hosts: what has none is known before anything moves."""

from __future__ import annotations

import pytest

from pumphouse.clouds.hypervisors import Room
from pumphouse.planning.capacity import need_of, pack, total, words


def rooms(**free):
    """Hosts with so much memory free (MiB), and many vCPUs."""
    return {host: {"MEMORY_MB": Room(amount + 100, 100), "VCPU": Room(64, 0)} for host, amount in free.items()}


def needs(*memory):
    return {f"w{number}": {"VCPU": 1, "MEMORY_MB": amount, "DISK_GB": 10} for number, amount in enumerate(memory)}


def test_a_server_needs_its_flavor_and_no_disk_when_it_boots_from_a_volume():
    flavor = {"vcpus": 2, "ram": 64, "disk": 5, "ephemeral": 3, "swap": 1500}
    assert need_of({"image": {"id": "i"}, "flavor": flavor}) == {"VCPU": 2, "MEMORY_MB": 64, "DISK_GB": 10}
    assert need_of({"image": "", "flavor": flavor})["DISK_GB"] == 5
    old = {"vcpus": 1, "ram": 1, "disk": 0, "swap": "", "OS-FLV-EXT-DATA:ephemeral": 7}
    assert need_of({"image": "", "flavor": {"id": "f"}}, old) == {"VCPU": 1, "MEMORY_MB": 1, "DISK_GB": 7}


def test_they_are_spread_and_the_largest_comes_first():
    assert pack(needs(10, 90, 80), rooms(a=100, b=90)) == {"w0": "b", "w1": "a", "w2": "b"}


def test_one_for_which_there_is_no_room_takes_none_from_the_others():
    assert pack(needs(200, 50), rooms(a=100)) == {"w0": None, "w1": "a"}
    assert pack(needs(60, 60), rooms(a=100)) == {"w0": "a", "w1": None}
    assert pack(needs(1), {}) == {"w0": None}


def test_what_is_not_told_is_not_judged():
    assert pack(needs(10), {"a": {}}) == {"w0": "a"}
    assert pack(needs(10), {"a": {"DISK_GB": Room(9, 0)}}) == {"w0": None}


def test_overcommitted_hosts_have_nothing_to_give():
    assert Room(10, 15).free == 0


@pytest.mark.parametrize(
    ("need", "said"), [({"VCPU": 2, "MEMORY_MB": 0}, "2 vCPUs"), ({}, "nothing"), ({"DISK_GB": 1}, "1 GiB of disk")]
)
def test_in_words(need, said):
    assert words(need) == said


def test_all_together():
    assert total(needs(1, 2).values()) == {"VCPU": 2, "MEMORY_MB": 3, "DISK_GB": 20}
