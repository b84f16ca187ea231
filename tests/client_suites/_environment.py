"""Creates the environments in which the tests of a client run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .plugin.client_suites import DEEPSEEK_PACKAGE

if TYPE_CHECKING:
    from .plugin.client_suites import Subject, Suite

_CHECKOUT: Final = Path(__file__).parents[2]
# Requirements of the pytest plugin, and of how pytest is called.
_PLUGIN_REQUIREMENTS: Final = (
    "opentelemetry-sdk",
    "pytest-timeout",
    "pytest-xdist",
    "wrapt",
)


def environment(suite: Suite, archive: Path, subject: Subject) -> Path:
    """Creates or updates the environment of a subject; returns its Python.

    All subjects that are not peers share the environment with this package.
    """
    extra = f"[{suite.extra}]" if suite.extra else ""
    requirements = subject.requirements or (f"{_CHECKOUT}{extra}",)
    name = subject.name if subject.is_peer else "deepseek"
    home = archive.with_name(f"python-{archive.name}-{suite.client}-{name}")
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _run("uv", "venv", "--quiet", "--python", sys.executable, str(home))
    install = ("uv", "pip", "install", "--quiet", "--python", str(python))
    # Reinstalled from the checkout, because uv caches builds by version.
    reinstall = ("--reinstall-package", DEEPSEEK_PACKAGE)
    tests = suite.requirements(archive)
    _run(*install, *reinstall, *tests, *_PLUGIN_REQUIREMENTS, *requirements)
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
