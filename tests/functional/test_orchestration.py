"""``docs/orchestration.md`` as it is written: its blocks are run, in their order, against a service."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumphouse.cli.demo_page import Page, open_page
from pumphouse.embedded import demo
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.demo.acme import password
from pumphouse.embedded.process import start_pair

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def blocks(kind: str) -> list[str]:
    """The code of this language."""
    text = (ROOT / "docs/orchestration.md").read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


class Desk:
    """Where somebody types what the page says."""

    #: Of the clouds' administrators, and of the tenant's people.
    passwords: list[str]

    def __init__(self, directory: Path, page: Page, domain: str, environment: dict[str, str]) -> None:
        self.directory, self.page = directory, page
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OS_", "PUMPHOUSE_"))},
            **environment,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "API": page.url.rstrip("/"),
            "TENANT": "acme",
            "DOMAIN": domain,
            "HOST": "src-c1",
        }

    def run(self, *command: str, run: str) -> str:
        """What it prints, with RUN."""
        done = subprocess.run(
            command, cwd=self.directory, env={**self.environment, "RUN": run}, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    for needed in ("curl", "jq"):
        if shutil.which(needed) is None:
            pytest.skip(f"LEFT OUT: {needed} is not installed")
    directory = tmp_path_factory.mktemp("desk")
    with start_pair(directory) as pair, pytest.MonkeyPatch.context() as patch:
        environment = {"OS_CLIENT_CONFIG_FILE": str(pair.clouds_file), "PUMPHOUSE_CONFIG": str(pair.config)}
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        domain = demo.fill(operator("src"), operator("dst"), "small", say=lambda _: None)
        with open_page(pair.config, environment, directory / "service.log") as page:
            desk = Desk(directory, page, domain, environment)
            (there,) = operator("src").identity.list("/domains", "domains", name=domain)
            people = [password(there["id"], name) for name in ("alice", "bob", "carol")]
            desk.passwords = [pair.source.password, pair.destination.password, *people]
            yield desk


def test_curl(desk: Desk) -> None:
    token, move, verify, _, follow = blocks("sh")
    told = desk.run("bash", "-c", f"{token}\n{move}\n{verify}\n{follow}", run="one")
    assert (desk.directory / "auth.header").stat().st_mode & 0o077 == 0
    assert '"state": "done"' in told
    assert "acme" in next(desk.directory.glob("report-*.html")).read_text()
    migrations = {line for line in told.splitlines() if line.startswith("event: migration")}
    assert migrations, "its states are among the events"
    again = desk.run("bash", "-c", move, run="one")
    ids = [json.loads(part)["id"] for part in re.findall(r'\{\s+"id".*?\}', told + again, re.DOTALL)]
    assert len(ids) == 2
    assert len(set(ids)) == 1, "asked for twice, done once"


def test_a_host_is_emptied(desk: Desk) -> None:
    token, move, _, empty, _ = blocks("sh")
    # Of the second only how things are asked for and waited for.
    told = desk.run("bash", "-c", f"{token}\n{move.partition('selection=')[0]}\n{empty}", run="three")
    evacuation = re.search(r'"evacuation": \{\s+"id": \d+,\s+"state": "done"', told)
    assert evacuation, told
    assert re.search(r'"role": "source",\s+"servers": 0', told), told


def test_no_secret_is_kept_or_told(desk: Desk) -> None:
    """Of what was done until now: neither in the service's log nor in the database."""
    with contextlib.closing(sqlite3.connect(desk.directory / "pumphouse.sqlite")) as connection:
        kept = "\n".join(connection.iterdump())
    told = kept + (desk.directory / "service.log").read_text()
    assert "migration.create" in told
    header = (desk.directory / "auth.header").read_text()
    secrets = [proof.split("_", 2)[2] for proof in (desk.page.token, header.strip())]
    assert [number for number, one in enumerate([*secrets, *desk.passwords]) if one in told] == []
    assert re.findall(r"gAAAAA[\w-]{40,}|\$(?:2[aby]|scrypt|pbkdf2-sha512)\$[^\s'\"]{20,}", told) == []


def test_ansible(desk: Desk) -> None:
    (playbook,) = blocks("yaml")
    (desk.directory / "playbook.yaml").write_text(playbook)
    if not (desk.directory / "auth.header").exists():
        desk.run("bash", "-c", blocks("sh")[0], run="token")
    command = (str(BIN / "ansible-playbook"), "playbook.yaml")
    for _ in range(2):
        told = desk.run(*command, run="two")
        assert re.search(r"ok=3 .* failed=0", told), told
