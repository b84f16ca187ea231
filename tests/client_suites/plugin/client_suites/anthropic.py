"""Anthropic's SDK."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from . import _pyproject
from ._suite import Suite

if TYPE_CHECKING:
    from pathlib import Path

_CALLS: Final = re.compile(r"\.messages\.(create|parse|stream|tool_runner)\(")


def _requirements(archive: Path) -> list[str]:
    groups = _pyproject.read(archive)["dependency-groups"]
    return [_pyproject.with_extras(archive), *groups["dev"]]


SUITE: Final = Suite(
    client="anthropic",
    archive="anthropic",
    versions="2.*",
    requirements=_requirements,
    calls=_CALLS,
    # Its other tests fail without a server for the rest of the API.
    folder_of_calls="api_resources",
    instrumented=tuple(
        (module, f"{owner}.{method}")
        for module in (
            "anthropic.resources.messages",
            "anthropic.resources.beta.messages",
        )
        for owner in ("Messages", "AsyncMessages")
        for method in ("create", "parse", "stream")
    ),
    extra="anthropic",
    # Its own option. The tests simulate HTTP with a library that replaces httpx.
    pytest_options=("-p", "tests._alias_httpx"),
)
