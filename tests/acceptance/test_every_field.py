"""Each field that can be set otherwise than by default arrives, or is named as what does not. See docs/fields.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumphouse.resources.registry import TYPES
from tests.acceptance.conftest import Whole
from tests.acceptance.every_field import ELSEWHERE, KINDS, committed
from tests.acceptance.everything.reasons import LOST

PAGE = Path(__file__).parents[2] / "docs" / "fields.md"


def test_every_type_is_here() -> None:
    assert {*KINDS, *ELSEWHERE} == set(TYPES)


@pytest.mark.parametrize("type_", KINDS)
def test_what_does_not_arrive_is_named(whole: Whole, type_: str) -> None:
    """With a reason; and nothing is named that does arrive."""
    lost, named = whole.rows[type_].lost, LOST.get(type_, {})
    assert {field: told for field, told in lost.items() if field not in named} == {}
    assert named.keys() - lost.keys() == set()


@pytest.mark.parametrize("type_", KINDS)
def test_no_field_is_passed_over(whole: Whole, type_: str) -> None:
    """Each is set otherwise by the tenant, or named as what no request sets."""
    assert whole.rows[type_].untold == []


def test_no_number_shrinks(whole: Whole) -> None:
    page = committed(PAGE.read_text())
    now = {type_: len(row.carried) for type_, row in whole.rows.items()}
    assert page, f"{PAGE} has no table"
    assert {type_: (n, now.get(type_, 0)) for type_, n in page.items() if now.get(type_, 0) < n} == {}


def test_the_page_tells_of_every_type(whole: Whole) -> None:
    assert set(committed(PAGE.read_text())) == {t for t, row in whole.rows.items() if row.carried or row.lost}
