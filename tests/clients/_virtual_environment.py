"""Virtual environments that hold a third-party package and this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CHECKOUT: Final = Path(__file__).parents[2]


def environment(
    name: str,
    requirements: Iterable[str],
    folder: Path,
    *,
    extras: str | None = "openai",
) -> Path:
    """Creates or updates the environment `folder`/`name`; returns its Python.

    `extras` are those of this project; with None, this project is not installed.
    """
    home = folder / name
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _uv("venv", "--python", sys.executable, str(home))
    # `requirements` come first and are upgraded. This project is always reinstalled,
    # because its version number does not change with its code.
    project = () if extras is None else (f"{CHECKOUT}[{extras}]",)
    reinstall = ("--reinstall-package", "opentelemetry-instrumentation-deepseek")
    install = ("pip", "install", "--upgrade", "--python", str(python), *reinstall)
    _uv(*install, *requirements, *project, "opentelemetry-sdk")
    return python


def installed_version(name: str, python: Path) -> str:
    """Returns the version of the package `name` in the environment."""
    program = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    return subprocess.run(
        (python, "-c", program, name), check=True, capture_output=True, text=True
    ).stdout.strip()


def _uv(command: str, *arguments: str) -> None:
    subprocess.run(("uv", command, "--quiet", *arguments), check=True)
