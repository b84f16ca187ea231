"""One run of the tests with one subject, and what came of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._archive import Suite
    from .inside.openai_suite_subjects import Subject

_INSIDE: Final = Path(__file__).with_name("inside")
# What the caller's shell sets of these would reach the tests.
_FOREIGN: Final = ("AZURE_", "MLFLOW_", "OPENAI_", "OTEL_", "PYTEST_", "TRACELOOP_")


@dataclass
class Seen:
    """What one run showed. `reasons` are those of the failures."""

    seconds: float
    started: int = 0
    ended: int = 0
    leaked: list[list[str]] = field(default_factory=list[list[str]])
    logged: list[list[str]] = field(default_factory=list[list[str]])
    reached: set[str] = field(default_factory=set[str])
    outcomes: dict[str, str] = field(default_factory=dict[str, str])
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    version: str = ""

    @property
    def passed(self) -> set[str]:
        return {test for test, outcome in self.outcomes.items() if outcome == "passed"}

    def among(self, tests: Iterable[str]) -> Seen:
        outcomes = {
            test: self.outcomes[test] for test in tests if test in self.outcomes
        }
        return replace(self, outcomes=outcomes)


def run(
    suite: Suite,
    python: Path,
    subject: Subject,
    *,
    api: str,
    workers: int,
    tests: Iterable[str],
) -> Seen:
    """Run `tests`, paths or ids, with `subject` switched on."""
    record = suite.folder.with_name(f"record-{suite.version}-{subject.name}")
    shutil.rmtree(record, ignore_errors=True)
    record.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN)
    }
    environment |= subject.environment
    environment |= {
        "DEFER_PYDANTIC_BUILD": "false",  # as its own scripts/test does
        "OPENAI_SUITE_RECORD": str(record),
        "OPENAI_SUITE_SUBJECT": subject.name,
        "PYTHONPATH": str(_INSIDE),
        "TEST_API_BASE_URL": api,
    }
    began = time.monotonic()
    chosen = record / "tests.txt"  # thousands of ids are too long a command
    chosen.write_text("\n".join(tests), encoding="utf-8")
    with (record / "pytest.log").open("w") as log:
        pytest = subprocess.run(
            [
                *(python, "-m", "pytest", "-p", "openai_suite_plugin"),
                *("-p", "no:cacheprovider", "-o", "addopts=", "--tb=short"),
                *("--continue-on-collection-errors", "--timeout=180"),
                *("-n", str(workers), f"@{chosen}"),
            ],
            cwd=suite.folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,  # some tests fail bare, too: the difference is what counts
        )
    seconds = time.monotonic() - began
    if not (record / "reporter.json").exists():
        raise RuntimeError(
            f"pytest did not finish (status {pytest.returncode}): {log.name} says why"
        )
    return _read(record, seconds)


def _read(record: Path, seconds: float) -> Seen:
    seen = Seen(seconds)
    for part in sorted(record.glob("*.json")):
        found: dict[str, Any] = json.loads(part.read_text(encoding="utf-8"))
        seen.version = found["version"]
        seen.started += found["started"]
        seen.ended += found["ended"]
        seen.leaked += found["leaked"]
        seen.logged += found["logged"]
        seen.reached |= set(found["reached"])
        seen.outcomes |= found["outcomes"]
        seen.reasons |= found["reasons"]
    return seen
