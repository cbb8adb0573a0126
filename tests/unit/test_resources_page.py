"""The page about fields says what the tables say."""

import pathlib

from pumphouse.resources import document


def test_page_is_made_from_the_tables() -> None:
    page = pathlib.Path(__file__).parents[2] / "docs" / "resources.md"
    assert page.read_text(encoding="utf-8") == document.page(), (
        "run: python -m pumphouse.resources.document > docs/resources.md"
    )
