"""Requests to the clouds are counted by all processes of a service together, and by nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

from pumphouse.clouds import calls

COUNT = """
from pumphouse.clouds import calls
calls.count("compute", 200, 0)
calls.count("compute", 503, 4)
calls.count(None, None, 0)
"""
READ = """
from pumphouse.api import metrics
from pumphouse.store import Store
print(metrics.text(metrics.DatabaseCollector(Store.open("sqlite://")))[0].decode())
"""


def run(program: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_two_processes_count_together(tmp_path):
    shared = {calls.SHARED: str(tmp_path)}
    for _ in range(2):
        run(COUNT, shared)
    text = run(READ, shared)
    assert 'pumphouse_cloud_requests_total{service="compute",status="200"} 2.0' in text
    assert 'pumphouse_cloud_requests_total{service="compute",status="503"} 2.0' in text
    assert 'pumphouse_cloud_requests_total{service="identity",status="none"} 2.0' in text
    assert 'pumphouse_cloud_retries_total{service="compute"} 8.0' in text


def test_a_command_counts_nothing_and_does_not_load_the_library():
    loaded = run(COUNT + "import sys; print('prometheus_client' in sys.modules)", {calls.SHARED: ""})
    assert loaded.strip() == "False"


def test_how_often_a_request_was_sent_again_is_in_its_answer():
    raw = SimpleNamespace(retries=SimpleNamespace(history=("first", "second")))
    assert calls.retries_of(SimpleNamespace(raw=raw)) == 2
    assert calls.retries_of(None) == calls.retries_of(SimpleNamespace(raw=None)) == 0
