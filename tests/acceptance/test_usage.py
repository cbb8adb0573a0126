"""Bad input ends with 2 and one clear line, before anything is done."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote

from tests.acceptance.command import Pumphouse
from tests.acceptance.lab import Lab
from tests.acceptance.tenant.model import Tenant


def test_check(pumphouse: Pumphouse, clouds: Lab) -> None:
    done = pumphouse.run("check")
    assert done.code == 0, done.said


def test_unknown_tenant(pumphouse: Pumphouse, built: Tenant) -> None:
    name = built.name("project", "tenant")
    done = pumphouse.run("migrate", "--tenant", name[:-1], "--domain", built.domain, "--dry-run")
    assert done.code == 2, done.said
    last = done.err.strip().splitlines()[-1]
    # Quoted for the shell, so that it can be pasted.
    assert last.endswith(f"did you mean {quote(name)}"), done.said


def test_unknown_domain(pumphouse: Pumphouse, built: Tenant) -> None:
    done = pumphouse.run("migrate", "--tenant", built.name("project", "tenant"), "--domain", "no such", "--dry-run")
    assert done.code == 2, done.said


def test_ambiguous_tenant(pumphouse: Pumphouse, clouds: Lab, built: Tenant) -> None:
    """Two domains may have projects of one name: both are shown, with ids that can be given instead."""
    name = built.call("@ twice")
    identity = clouds.source.identity
    made = [
        identity.post("/projects", "project", name=name, domain_id=built.id("domain", short))["id"]
        for short in ("own", "guests")
    ]
    try:
        done = pumphouse.run("migrate", "--tenant", name, "--dry-run")
        assert done.code == 2, done.said
        assert all(id_ in done.err for id_ in made), done.said
        narrowed = pumphouse.run("migrate", "--tenant", name, "--domain", built.domain, "--dry-run", "-f", "json")
        assert narrowed.code == 0, narrowed.said
    finally:
        for id_ in made:
            identity.delete(f"/projects/{id_}")


def test_nobody_to_ask(pumphouse: Pumphouse, built: Tenant) -> None:
    """Without a terminal and without --yes nothing is done."""
    done = pumphouse.run("migrate", "--tenant", built.project_id)
    assert done.code == 2, done.said
    assert "--yes" in done.err


def test_bad_configuration(pumphouse: Pumphouse, tmp_path: Path) -> None:
    given = json.loads(pumphouse.config.read_text())
    given["clouds"]["source"]["clowd"] = "src"
    bad = tmp_path / "bad.yaml"
    bad.write_text(json.dumps(given))
    done = pumphouse.run("migrate", "--tenant", "x", "--dry-run", config=bad)
    assert done.code == 2, done.said
    line = done.err.strip()
    assert len(line.splitlines()) == 1, line
    assert str(bad) in line
    assert "clouds.source.clowd" in line


def test_unknown_cloud(pumphouse: Pumphouse, tmp_path: Path) -> None:
    given = json.loads(pumphouse.config.read_text())
    given["clouds"]["source"]["cloud"] = "elsewhere"
    bad = tmp_path / "bad.yaml"
    bad.write_text(json.dumps(given))
    done = pumphouse.run("check", config=bad)
    assert done.code == 2, done.said
    assert "src" in done.err, "the entries that exist are not named"


def test_unknown_migration(pumphouse: Pumphouse) -> None:
    assert pumphouse.run("report", "99999").code == 2
