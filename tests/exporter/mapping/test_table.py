"""The table of the mapping in the README."""

from __future__ import annotations

from pathlib import Path

from .table import table


def test_the_table_of_the_readme_is_that_of_the_code():
    readme = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    written = readme.partition("<!-- mapping -->\n")[2]
    assert written.partition("\n<!-- /mapping -->")[0] == table()
