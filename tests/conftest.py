"""How all the tests are shared out where several processes run them (pytest -n)."""

from __future__ import annotations

from pathlib import Path

import pytest

ACCEPTANCE = Path(__file__).parent / "acceptance"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares the two real clouds stays together, and so does each file."""
    for item in items:
        group = "acceptance" if ACCEPTANCE in item.path.parents else str(item.path.relative_to(Path(__file__).parent))
        item.add_marker(pytest.mark.xdist_group(group))
