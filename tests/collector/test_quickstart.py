"""The quickstart uses a collector if one is installed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .conftest import ENVIRONMENT

pytestmark = pytest.mark.e2e


@pytest.fixture
def quickstart(mlflow_uri):
    def run(program):
        return subprocess.run(
            [sys.executable, "-m", "examples.quickstart"],
            env=ENVIRONMENT
            | {"MLFLOW_TRACKING_URI": mlflow_uri, "OTELCOL": str(program)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def test_spans_go_through_collector(quickstart, otelcol):
    process = quickstart(otelcol)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "behind a collector at http://127.0.0.1:" in process.stdout
    assert re.search(r"^OTLP +received 5 spans", process.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("no-such-program", "OTELCOL=no-such-program: this program does not exist"),
        ("false", "the collector did not start; its log ends with:"),
    ],
)
def test_broken_collector_is_skipped_with_the_reason(quickstart, program, reason):
    process = quickstart(program)
    assert process.returncode == 0, process.stdout + process.stderr
    assert f"The collector is not used: {reason}" in process.stdout
    assert re.search(r"^OTLP +received 5 spans", process.stdout, re.MULTILINE)
