"""What the `pyproject.toml` of a source archive says of its requirements."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def read(archive: Path) -> dict[str, Any]:
    # Here, because the environments of the tests need not have tomli.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    text = (archive / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def with_extras(archive: Path) -> str:
    """Returns the requirement of the archive's package, with all of its extras."""
    extras = ",".join(read(archive)["project"].get("optional-dependencies", ()))
    distribution, _, version = archive.name.rpartition("-")
    return f"{distribution}[{extras}]=={version}"
