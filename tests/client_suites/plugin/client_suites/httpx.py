"""httpx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import _pyproject
from ._suite import Suite

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS: Final = "0.*"
# The archive has no list of these. The versions are those of the time of httpx 0.28.1:
# later ones log, warn and print otherwise, which a dozen tests notice.
_TEST_REQUIREMENTS: Final = (
    "chardet==5.2.*",
    "click==8.1.*",
    "cryptography",
    "pytest==8.3.*",
    "trio==0.27.*",
    "trustme",
    "uvicorn==0.32.*",
)

# It calls a port that cannot exist. This package logs that it lost the span.
DIFFERENCES: Final = frozenset(
    {"tests/test_exceptions.py::test_httpcore_exception_mapping"}
)


def _requirements(archive: Path) -> list[str]:
    return [_pyproject.with_extras(archive), *_TEST_REQUIREMENTS]


SUITE: Final = Suite(
    client="httpx",
    archive="httpx",
    versions=VERSIONS,
    requirements=_requirements,
    differences=DIFFERENCES,
    instrumented=(("httpx", "Client.send"), ("httpx", "AsyncClient.send")),
    parallel=False,  # the server of the tests has a fixed port
)
