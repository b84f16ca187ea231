"""httpx2, with the tests of httpx.

Its own archive has no tests. It has the API of httpx, and can replace it in a process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._suite import Suite
from .httpx import DIFFERENCES, VERSIONS

if TYPE_CHECKING:
    from pathlib import Path


def _requirements(_archive: Path) -> list[str]:
    return [
        "httpx2[brotli,cli,http2,socks,zstd]",
        *("chardet", "cryptography", "pytest", "trio", "trustme", "uvicorn"),
    ]


SUITE: Final = Suite(
    client="httpx2",
    archive="httpx",
    versions=VERSIONS,
    requirements=_requirements,
    differences=DIFFERENCES,
    instrumented=(("httpx2", "Client.send"), ("httpx2", "AsyncClient.send")),
    pytest_options=("-p", "client_suites.httpx2_as_httpx"),
    parallel=False,  # as for httpx
)
