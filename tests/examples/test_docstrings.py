"""The docstring of each example names what to install besides the README's packages."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.test_install_lines import README_PACKAGES, missing_files

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = ("examples", "examples/two_services")
EXAMPLES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).glob("*.py"))
    if path.stem != "__init__"
]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstring_names_the_further_packages(path: Path) -> None:
    program = path.read_text("utf-8")
    further_packages = re.findall(r"`pip\s+install\s+(?:--pre\s+)?([^`]+)`", program)
    packages = " ".join([README_PACKAGES, *further_packages])
    assert missing_files(program, packages) == set()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_example_is_short(path: Path) -> None:
    program = path.read_text("utf-8")
    docstring = ast.parse(program).body[0]
    code = program.splitlines()[docstring.end_lineno :]
    assert len(list(filter(None, code))) < 40
