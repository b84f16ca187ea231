"""requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import _pyproject
from ._suite import Suite

if TYPE_CHECKING:
    from pathlib import Path


def _requirements(archive: Path) -> list[str]:
    groups = _pyproject.read(archive)["dependency-groups"]
    return [_pyproject.with_extras(archive), *groups["test"]]


SUITE: Final = Suite(
    client="requests",
    archive="requests",
    versions="2.*",
    requirements=_requirements,
    instrumented=(("requests", "Session.send"),),
)
