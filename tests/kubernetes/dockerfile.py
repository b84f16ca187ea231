"""Reads a Dockerfile, and runs its commands on this machine."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from .manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = re.compile(
    r'"(opentelemetry-instrumentation-deepseek)(\[[\w,]+\])==([\w.]+)"'
)
PYTHON_IMAGE = re.compile(r"python:(\d+\.\d+)\.\d+-slim-trixie")


class Instruction(NamedTuple):
    name: str
    arguments: str


def instructions(path: Path) -> list[Instruction]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [
        Instruction(*line.split(maxsplit=1))
        for line in text.splitlines()
        if line.strip()
    ]


def images(path: Path) -> list[str]:
    return [i.arguments.split()[0] for i in instructions(path) if i.name == "FROM"]


def command(path: Path) -> list[str]:
    """Returns the command of the image, which has to be a list."""
    (words,) = (i.arguments for i in instructions(path) if i.name == "CMD")
    return json.loads(words)


def run_pip_commands(path: Path, options: str, folder: Path) -> None:
    """Runs the instruction RUN with pip, with this checkout in place of the release.

    uv takes the place of pip, and `folder` that of the root folder of the image.
    """
    (shell,) = (i.arguments for i in instructions(path) if "pip install" in i.arguments)
    uv = shutil.which("uv")
    assert uv
    shell = shell.replace(
        "pip install --no-cache-dir", f"{uv} pip install -q {options}"
    )
    shell = PACKAGE.sub(lambda match: shlex.quote(f"{ROOT}{match[2]}"), shell)
    shell = shell.replace(" /autoinstrumentation", f" {folder}/autoinstrumentation")
    subprocess.run(["sh", "-ec", shell], check=True, timeout=300)
