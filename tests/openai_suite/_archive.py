"""Downloads openai-python's source archive and creates environments for its tests."""

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

from .plugin.openai_suite_subjects import DEEPSEEK_PACKAGE

if TYPE_CHECKING:
    from .plugin.openai_suite_subjects import Subject

_CHECKOUT: Final = Path(__file__).parents[2]
_INSTRUMENTED_METHODS: Final = re.compile(
    r"\.(chat\.completions|(completions|embeddings|responses)\.)"
)
# Requirements of the pytest plugin.
_PLUGIN_REQUIREMENTS: Final = ("opentelemetry-sdk", "pytest-timeout", "wrapt")


@dataclass(frozen=True)
class Suite:
    """The test suite of openai `version`, unpacked in `folder`."""

    folder: Path
    version: str

    @property
    def requirements(self) -> list[str]:
        """The requirements of the tests from pyproject.toml, and the SDK itself."""
        project: dict[str, Any] = tomllib.loads(
            (self.folder / "pyproject.toml").read_text(encoding="utf-8")
        )
        extras = ",".join(project["project"]["optional-dependencies"])
        development = (
            # A dependency group since 3.0, before that a setting of rye.
            project["dependency-groups"]["dev"]
            if "dependency-groups" in project
            else project["tool"]["rye"]["dev-dependencies"]
        )
        return [f"openai[{extras}]=={self.version}", *development]

    def tests(self, *, only_instrumented: bool) -> list[str]:
        """Returns the test files.

        With `only_instrumented` these are the files that use instrumented methods. In
        `api_resources` it is always only those files, because the others fail without
        a server for the rest of OpenAI's API.
        """
        return [
            path.relative_to(self.folder).as_posix()
            for path in sorted((self.folder / "tests").rglob("test_*.py"))
            if not (only_instrumented or "api_resources" in path.parts)
            or _INSTRUMENTED_METHODS.search(path.read_text(encoding="utf-8"))
        ]


def download_suite(version: str, folder: Path) -> Suite:
    """Downloads the newest release that matches `version`, for example `3.*`."""
    archives = folder / f"openai {version}".replace("*", "x")
    # --no-binary is limited to openai: its build requirements may be wheels.
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(archives))
    _run(*pip, "--no-deps", "--no-binary", "openai", f"openai=={version}")
    archive = max(archives.glob("openai-*.tar.gz"), key=lambda a: a.stat().st_mtime)
    match = re.fullmatch(r"openai-(.+)\.tar\.gz", archive.name)
    assert match is not None
    suite = Suite(folder / f"openai-{match[1]}", match[1])
    if not suite.folder.exists():
        with tarfile.open(archive) as archive_file:
            archive_file.extractall(folder, filter="data")
    return suite


def environment(suite: Suite, subject: Subject, folder: Path) -> Path:
    """Creates or updates the environment of a subject; returns its Python.

    All subjects that are not peers share the environment with this package.
    """
    requirements = subject.requirements or (f"{_CHECKOUT}[openai]",)
    name = subject.name if subject.is_peer else "deepseek"
    home = folder / f"python-{suite.version}-{name}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _run("uv", "venv", "--quiet", "--python", sys.executable, str(home))
    install = ("uv", "pip", "install", "--quiet", "--python", str(python))
    # Reinstalled from the checkout, because uv caches builds by version.
    reinstall = ("--reinstall-package", DEEPSEEK_PACKAGE)
    _run(
        *install, *reinstall, *suite.requirements, *_PLUGIN_REQUIREMENTS, *requirements
    )
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
