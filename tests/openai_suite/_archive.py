"""openai-python's source archive, and the environments its tests run in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from .inside.openai_suite_subjects import OURS

if TYPE_CHECKING:
    from .inside.openai_suite_subjects import Subject

_CHECKOUT: Final = Path(__file__).parents[2]
_WATCHED: Final = re.compile(
    r"\.(chat\.completions|(completions|embeddings|responses)\.)"
)
# What the plugin needs.
_PLUGIN: Final = ("opentelemetry-sdk", "pytest-timeout", "wrapt")


@dataclass(frozen=True)
class Suite:
    """`folder` holds the unpacked archive of openai `version`."""

    folder: Path
    version: str

    @property
    def requirements(self) -> list[str]:
        """Those of its tests, as its pyproject.toml has them, and the SDK itself."""
        project: dict[str, Any] = tomllib.loads(
            (self.folder / "pyproject.toml").read_text(encoding="utf-8")
        )
        extras = ",".join(project["project"]["optional-dependencies"])
        development = (
            # Since 3.0 as a standard group; before, as a setting of rye.
            project["dependency-groups"]["dev"]
            if "dependency-groups" in project
            else project["tool"]["rye"]["dev-dependencies"]
        )
        return [f"openai[{extras}]=={self.version}", *development]

    def tests(self, *, touching: bool) -> list[str]:
        """The test files; with `touching` only those that name what is watched.

        Of `api_resources` always only those: the others want a server for the rest of
        OpenAI's API, and fail without.
        """
        return [
            path.relative_to(self.folder).as_posix()
            for path in sorted((self.folder / "tests").rglob("test_*.py"))
            if not (touching or "api_resources" in path.parts)
            or _WATCHED.search(path.read_text(encoding="utf-8"))
        ]


def downloaded(version: str, folder: Path) -> Suite:
    """The newest release that `version` (`3.*`) allows."""
    archives = folder / f"openai {version}".replace("*", "x")
    # An option of its own for this one name: what builds its metadata may be a wheel.
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(archives))
    _run(*pip, "--no-deps", "--no-binary", "openai", f"openai=={version}")
    archive = max(archives.glob("openai-*.tar.gz"), key=lambda a: a.stat().st_mtime)
    match = re.fullmatch(r"openai-(.+)\.tar\.gz", archive.name)
    assert match is not None
    suite = Suite(folder / f"openai-{match[1]}", match[1])
    if not suite.folder.exists():
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return suite


def environment(suite: Suite, subject: Subject, folder: Path) -> Path:
    """A Python with what the tests require, and the subject: a peer, or this project.

    The bare run, the pass-through and this project share one.
    """
    required = subject.requirements or (f"{_CHECKOUT}[instruments]",)
    name = subject.name if subject.requirements else "ours"
    home = folder / f"python-{suite.version}-{name}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _run("uv", "venv", "--quiet", "--python", sys.executable, str(home))
    install = ("uv", "pip", "install", "--quiet", "--python", str(python))
    # As the checkout is now: uv would keep a build of it.
    fresh = ("--reinstall-package", OURS)
    _run(*install, *fresh, *suite.requirements, *_PLUGIN, *required)
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
