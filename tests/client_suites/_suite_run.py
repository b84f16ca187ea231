"""Runs the tests with one subject and reads the record of the run."""

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

    from .plugin.client_suites import Subject, Suite

_PLUGIN_FOLDER: Final = Path(__file__).with_name("plugin")
# Variables of the caller with these prefixes would affect the tests.
_EXCLUDED_PREFIXES: Final = (
    "ANTHROPIC_",
    "AZURE_",
    "MLFLOW_",
    "OPENAI_",
    "OTEL_",
    "PYTEST_",
    "TRACELOOP_",
)


@dataclass
class SuiteRun:
    """The record of one run.

    Attributes:
        seconds: The duration of the run.
        started: The number of started spans.
        ended: The number of ended spans.
        unended: The name and test of each span that never ended.
        logged: The test, logger and message of each warning.
        instrumented_tests: The ids of the tests that call an instrumented method.
        outcomes: The outcome of each test.
        reasons: The reason of each failure.
        version: The version of the subject.
        client_version: The version of the client.
    """

    seconds: float
    started: int = 0
    ended: int = 0
    unended: list[list[str]] = field(default_factory=list[list[str]])
    logged: list[list[str]] = field(default_factory=list[list[str]])
    instrumented_tests: set[str] = field(default_factory=set[str])
    outcomes: dict[str, str] = field(default_factory=dict[str, str])
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    version: str = ""
    client_version: str = ""

    @property
    def passed(self) -> set[str]:
        return {test for test, outcome in self.outcomes.items() if outcome == "passed"}

    def restricted_to(self, tests: Iterable[str]) -> SuiteRun:
        outcomes = {
            test: self.outcomes[test] for test in tests if test in self.outcomes
        }
        return replace(self, outcomes=outcomes)


def run(
    suite: Suite,
    archive: Path,
    python: Path,
    subject: Subject,
    *,
    base_url: str,
    workers: int,
    tests: Iterable[str],
) -> SuiteRun:
    """Runs `tests`, which are paths or ids, with the subject instrumented."""
    record = python.parents[1].with_name(f"record-{suite.client}-{subject.name}")
    shutil.rmtree(record, ignore_errors=True)
    record.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_EXCLUDED_PREFIXES)
    }
    environment |= subject.environment
    environment |= {
        "CLIENT_SUITES_CLIENT": suite.client,
        "CLIENT_SUITES_RECORD": str(record),
        "CLIENT_SUITES_SUBJECT": subject.name,
        # As scripts/test of OpenAI's and of Anthropic's SDK does.
        "DEFER_PYDANTIC_BUILD": "false",
        "PYTHONPATH": str(_PLUGIN_FOLDER),
        "TEST_API_BASE_URL": base_url,
    }
    start = time.monotonic()
    test_list = record / "tests.txt"  # a command line cannot hold thousands of ids
    test_list.write_text("\n".join(tests), encoding="utf-8")
    with (record / "pytest.log").open("w") as log:
        pytest = subprocess.run(
            [
                *(python, "-m", "pytest", *suite.pytest_options),
                *("-p", "client_suites.pytest_plugin"),
                *("-p", "no:cacheprovider", "-o", "addopts=", "--tb=short"),
                *("--continue-on-collection-errors", "--timeout=180"),
                *("-n", str(workers if suite.parallel else 0), f"@{test_list}"),
            ],
            cwd=archive,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,  # some tests also fail without the subject
        )
    seconds = time.monotonic() - start
    if not (record / "reporter.json").exists():
        raise RuntimeError(
            f"pytest failed with exit code {pytest.returncode}. See {log.name}."
        )
    return _read(record, seconds)


def _read(record: Path, seconds: float) -> SuiteRun:
    run = SuiteRun(seconds)
    for path in sorted(record.glob("*.json")):
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        run.version = fields["version"]
        run.client_version = fields["client_version"]
        run.started += fields["started"]
        run.ended += fields["ended"]
        run.unended += fields["unended"]
        run.logged += fields["logged"]
        run.instrumented_tests |= set(fields["instrumented_tests"])
        run.outcomes |= fields["outcomes"]
        run.reasons |= fields["reasons"]
    return run
