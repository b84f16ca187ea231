"""The mapping tables in docs/attributes.md."""

from __future__ import annotations

from pathlib import Path

from .table import mapping_tables

_PAGE = Path(__file__).parents[3] / "docs" / "attributes.md"


def test_documented_mapping_is_generated_from_the_code():
    page = _PAGE.read_text("utf-8")
    documented = page.partition("<!-- mapping -->\n")[2]
    assert documented.partition("\n<!-- /mapping -->")[0] == mapping_tables()
