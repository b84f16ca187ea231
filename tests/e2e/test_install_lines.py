"""The documented `pip install` lines have all packages that the programs import."""

from __future__ import annotations

import ast
import re
import shlex
from importlib.metadata import distribution
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tomli
from packaging.requirements import Requirement

from .conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution

PROJECT = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
README = (ROOT / "README.md").read_text("utf-8")
# The first line. The second is for a server on this machine only.
README_PACKAGES = re.search(r"^pip install (.+)$", README, re.MULTILINE)[1]
README_PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def distributions(requirements: str) -> Iterator[Distribution]:
    """Yields what pip installs for `requirements`, with all dependencies."""
    queue = [Requirement(text) for text in shlex.split(requirements)]
    seen = set()
    while queue:
        requirement = queue.pop()
        if requirement.name == PROJECT["name"]:
            # The installed metadata of a checkout may be older than pyproject.toml.
            lists = [PROJECT["optional-dependencies"][e] for e in requirement.extras]
            queue += map(Requirement, chain(PROJECT["dependencies"], *lists))
            yield distribution(requirement.name)
            continue
        extras = frozenset(requirement.extras) or frozenset([""])
        if (requirement.name, extras) in seen:
            continue
        seen.add((requirement.name, extras))
        package = distribution(requirement.name)
        yield package
        for text in package.requires or ():
            dependency = Requirement(text)
            marker = dependency.marker
            if not marker or any(marker.evaluate({"extra": e}) for e in extras):
                queue.append(dependency)


def imported_files(program: str) -> Iterator[Path]:
    """Yields the installed files of the modules that `program` imports."""
    names = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    # A namespace package and a built-in module have no file.
    # A namespace package, a built-in module and another file of the page have none.
    specs = filter(None, map(find_spec, names))
    origins = [spec.origin for spec in specs if spec.origin]
    paths = [Path(origin) for origin in origins if Path(origin).exists()]
    for path in paths:
        if "site-packages" in path.parts:
            yield path


def missing_files(program: str, requirements: str) -> set[Path]:
    installed = {
        Path(package.locate_file(file))
        for package in distributions(requirements)
        for file in package.files or ()
    }
    return set(imported_files(program)) - installed


@pytest.mark.parametrize("program", README_PROGRAMS)
def test_readme_installs_what_its_programs_import(program):
    assert missing_files(program, README_PACKAGES) == set()


def test_missing_package_is_found():
    program = "from opentelemetry.processor.baggage import BaggageSpanProcessor"
    assert missing_files(program, README_PACKAGES) != set()


def test_readme_installs_the_command_of_its_console_blocks():
    scripts = {
        entry_point.name
        for package in distributions(README_PACKAGES)
        for entry_point in package.entry_points
        if entry_point.group == "console_scripts"
    }
    assert "opentelemetry-instrument" in scripts
