"""requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import _pyproject
from ._suite import Suite

if TYPE_CHECKING:
    from pathlib import Path

# It sends what is no request, and this package logs that it lost the span.
_DIFFERENCES: Final = frozenset(
    {"tests/test_requests.py::TestRequests::test_non_prepared_request_error"}
)


def _requirements(archive: Path) -> list[str]:
    groups = _pyproject.read(archive)["dependency-groups"]
    return [_pyproject.with_extras(archive), *groups["test"]]


SUITE: Final = Suite(
    client="requests",
    archive="requests",
    versions="2.*",
    requirements=_requirements,
    differences=_DIFFERENCES,
    instrumented=(("requests", "Session.send"),),
)
