"""Anthropic's SDK."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from . import _pyproject
from ._suite import Suite

_CALLS: Final = re.compile(r"\.messages\.(create|parse|stream|tool_runner)\(")


def _requirements(archive: Path) -> list[str]:
    groups = _pyproject.read(archive)["dependency-groups"]
    return [_pyproject.with_extras(archive), *groups["dev"]]


def _differences() -> frozenset[str]:
    file = Path(__file__).with_name("anthropic_differences.txt")
    lines = file.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


SUITE: Final = Suite(
    client="anthropic",
    archive="anthropic",
    versions="2.14.*",  # the differences are those of this version
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
    own_scope="com.anthropic.sdk.python",
    differences=_differences(),
    # Its own option. The tests simulate HTTP with a library that replaces httpx.
    pytest_options=("-p", "tests._alias_httpx"),
)
