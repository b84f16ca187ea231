"""aiohttp."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ._pyproject import with_extras
from ._suite import Suite

if TYPE_CHECKING:
    from pathlib import Path

# Their responses are mock objects, which are not freed before the process ends. They
# open a WebSocket, which is recorded only in these tests.
_DIFFERENCES: Final = frozenset(
    {
        "tests/test_client_session.py::test_ws_connect_allowed_protocols",
        "tests/test_client_session.py::test_ws_connect_unix_socket_allowed_protocols",
    }
)


def _requirements(archive: Path) -> list[str]:
    return [with_extras(archive), "-r", str(archive / "requirements" / "test.in")]


SUITE: Final = Suite(
    client="aiohttp",
    archive="aiohttp",
    versions="3.*",
    requirements=_requirements,
    differences=_DIFFERENCES,
    calls=re.compile(r"aiohttp_client|ClientSession"),
    # The other tests, of the server and the parser, take ten minutes.
    folder_of_calls="tests",
    instrumented=(("aiohttp", "ClientSession._request"),),
    # As in its pytest.ini.
    pytest_options=("-m", "not dev_mode and not autobahn and not internal"),
)
