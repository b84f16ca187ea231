"""A Python of its own for somebody else's package, and this project beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CHECKOUT: Final = Path(__file__).parents[2]


def environment(name: str, requirements: Iterable[str], folder: Path) -> Path:
    """The Python of `folder`/`name`, brought up to date."""
    home = folder / name
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _uv("venv", "--python", sys.executable, str(home))
    # Their wishes first: they are to be the newest. Ours is installed anew, for its
    # version number does not tell that it has changed.
    ours = f"{CHECKOUT}[instruments]"
    again = ("--reinstall-package", "opentelemetry-instrumentation-deepseek")
    install = ("pip", "install", "--upgrade", "--python", str(python), *again)
    _uv(*install, *requirements, ours, "opentelemetry-sdk")
    return python


def installed(name: str, python: Path) -> str:
    """The version of `name` there."""
    program = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    return subprocess.run(
        (python, "-c", program, name), check=True, capture_output=True, text=True
    ).stdout.strip()


def _uv(command: str, *arguments: str) -> None:
    subprocess.run(("uv", command, "--quiet", *arguments), check=True)
