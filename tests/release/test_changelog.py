"""The fragments in changelog.d."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DRAFT = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9"]


def test_each_fragment_is_an_entry_of_the_changelog():
    """A fragment whose name is wrong is an error: see `ignore` in pyproject.toml."""
    process = subprocess.run(
        DRAFT, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    fragments = list((ROOT / "changelog.d").glob("*.md"))
    entries = re.findall(r"^- ", process.stdout, re.MULTILINE)
    assert len(entries) == len(fragments)
    assert process.stdout.startswith("## 9.9.9 (")
